"""Runs a drop with the client that was generated for Python: run_drop.py <address> <token>."""

import sys
import time

import stampede_control as client


def main(address, token):
    configuration = client.Configuration(host=address, access_token=token)
    with client.ApiClient(configuration) as api:
        commands, drops = client.CommandsApi(api), client.DropsApi(api)
        plan = client.Plan(
            stream="python-show",
            title="Mug",
            merchant="potter",
            host="nina",
            limit_per_viewer=2,
            hold_ttl_ms=120_000,
            countdown_ms=0,
            skus=[
                client.Sku(
                    id="mug",
                    title="Mug",
                    supply=50,
                    price=client.Money(minor=1_500, currency="EUR"),
                )
            ],
        )
        drop = commands.plan_drop(idempotency_key="python-plan", plan=plan).drop
        # The body is left out.
        commands.open_drop(drop, idempotency_key="python-open")
        while drops.drop_state(drop).phase != client.Phase.OPEN:
            time.sleep(0.01)
        lot = commands.restock_drop(drop, "python-lot", client.Restock(sku="mug", units=25))
        assert lot.lot == 2, lot
        state = drops.drop_state(drop)
        assert state.skus[0].supplied == 75 and state.plan.title == "Mug", state
        again = commands.close_drop(drop, "python-close", client.Decision(reason="the end"))
        assert again.action == "close", again
        try:
            commands.open_drop(drop, idempotency_key="python-open-again")
        except client.exceptions.ConflictException as refused:
            assert refused.data.code == "wrong_phase", refused
        else:
            raise AssertionError("a drop that is closed was opened")
        report = client.LedgerApi(api).drop_report(drop)
        assert report.supplied == 75 and report.gross_minor == 0, report
        print("a drop was run")


main(*sys.argv[1:])
