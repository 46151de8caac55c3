//! The meaning of the report's words.

use std::fmt;

const WORDS: [(&str, &str); 38] = [
    ("supplied", "units of the plan, once they are on sale, and of every restock"),
    ("hold", "units that one viewer has for a limited time, to pay for them"),
    ("order", "a hold that was paid for"),
    ("sold", "units in orders"),
    ("taken", "held or sold: half is taken when half of the supply first is; units that are"),
    ("", "taken come back if their hold is released or expires"),
    ("left", "units neither held nor sold"),
    ("came back", "holds that were released or expired, and their units"),
    ("taken again", "units of any goods ever taken beyond all that were supplied of them: so"),
    ("", "many at least were of units that had come back"),
    ("code", "the merchant's own code for the goods"),
    ("released", "holds that viewers gave back or a ban ended; their units were on sale again"),
    ("expired", "holds whose time to pay ran out; their units were on sale again"),
    ("oversold", "units held or sold beyond the supply: 0, or something is broken"),
    (
        "stranded",
        "units left over, of any goods, in a drop in which somebody was refused for want of",
    ),
    ("", "units, of whichever goods"),
    ("settled", "closed, and every hold has ended: the figures stay as they were then"),
    ("since it settled", "what came later and is in none of the other figures"),
    (
        "closing hash",
        "of the last row about the drop in the ledger: what it says cannot change later",
    ),
    ("gross", "the price of the goods of all orders"),
    ("charges", "what the orders cost beyond their goods: shipping, tax, fees"),
    ("paid", "what was taken for the orders, charges included; where payments are not on record,"),
    ("", "their price"),
    ("refunded, net", "what of it went back, and what of it is left"),
    ("kept ready", "money of orders that the payment provider keeps ready and has not given yet"),
    ("refund due", "money that was taken and has to go back: of orders, or for which nobody got"),
    ("", "anything"),
    ("unpaid", "orders with units to deliver whose money was let go or went back"),
    ("declined", "what a payment provider was asked to do and refused; staff have to look at it"),
    ("unmatched", "payments of which nobody can say what they were for"),
    ("clicks", "requests to buy that got an answer: units to hold, or a refusal with its reason"),
    ("answered again", "repeated requests that got their first answer"),
    (
        "tally",
        "clicks counted, and the viewers who are connected, once a second while anybody clicks",
    ),
    ("show", "the drops of one stream that began within six hours of the end of those before,"),
    ("", "by the first of them"),
    (
        "journal",
        "what the ledger keeps of the drop: records of what happened, in commits to the disk",
    ),
    ("outage", "time in which the server was away or its machine slept"),
    ("p50, p99, p99.9", "half, 99 % and 99.9 % of the answers took at most this long"),
];

/// Writes a line for each word.
pub(super) fn write(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "what the words mean")?;
    WORDS.iter().try_for_each(|(word, meaning)| writeln!(f, "    {word:<18}{meaning}"))
}
