//! What one viewer may have, as scripts like those of whole stories.

use super::{
    story::check,
    support::{config, config_of, open_stock, units},
};
use crate::{DropStock, StockConfig};

#[test]
fn a_limit_returns_with_the_units_and_not_before() {
    check(
        config(2),
        "lot 10
         open
         buy v1 k1 2 -> h1
         buy v1 k2 1 -> over_limit 2
         held h1
         end h1 -> won
         buy v1 k2 1 -> over_limit 2
         give h1 -> public 2
         buy v1 k2 1 -> h2
         buy v1 k3 3 -> over_limit 2 for good
         stock -> available=9 takes=2",
    );
}

#[test]
fn a_limit_that_orders_fill_is_told_apart_from_one_that_a_hold_may_leave() {
    check(
        config_of(&[0, 1], &[2, 2], 3),
        "lot 10
         lot 10 p1
         open
         buy v1 k1 1 -> h1
         held h1
         confirm h1 -> won
         buy v1 k2 2 -> over_limit 2 for good
         buy v1 k2 1 -> h2
         buy v1 k3 1 -> over_limit 2
         held h2
         confirm h2 -> won
         buy v1 k3 1 -> over_limit 2 for good
         buy v1 k3 1 p1 -> h3
         buy v1 k4 1 p1 -> over_limit 3
         buy v1 k4 2 p1 -> over_limit 2 for good",
    );
}

#[test]
fn other_limits_bind_the_takes_to_come_and_take_nothing_from_anybody() {
    check(
        config_of(&[0, 1], &[2, 2], 3),
        "lot 10
         lot 10 p1
         open
         buy v1 k1 2 -> h1
         buy v1 k2 2 p1 -> over_limit 3
         close
         limits 5 1 3
         open
         view h1 -> pending
         buy v1 k2 1 -> over_limit 1
         buy v1 k2 3 p1 -> h2
         buy v2 k1 2 -> over_limit 1 for good
         close
         limits 1 1 1
         open
         view h2 -> pending
         buy v1 k3 1 p1 -> over_limit 1
         buy v1 k2 3 p1 -> replay h2
         buy v2 k1 1 -> h3
         buy v2 k2 1 p1 -> over_limit 1",
    );
}

#[test]
#[should_panic(expected = "takes are shut")]
fn limits_stay_while_takes_are_open() {
    open_stock(1).set_limits(units(1), &[units(1)]);
}

#[test]
#[should_panic(expected = "each SKU has its limit")]
fn limits_of_other_skus_are_refused() {
    DropStock::new(config(1)).set_limits(units(1), &[units(1), units(1)]);
}

#[test]
fn a_limit_is_for_good_once_every_hold_is_made() {
    check(
        StockConfig { holds_per_viewer_max: 2, ..config(2) },
        "lot 5
         open
         buy v1 k1 1 -> h1
         buy v1 k2 2 -> over_limit 2
         buy v1 k2 1 -> h2
         buy v1 k3 1 -> over_limit 2 for good
         held h1
         end h1 -> won
         give h1 -> public 1
         buy v1 k3 2 -> over_limit 2 for good
         buy v1 k3 1 -> capped 2",
    );
}

#[test]
fn a_limit_counts_all_pools_of_its_sku_and_no_other() {
    check(
        config_of(&[0, 1, 0], &[2, 3], 4),
        "lot 5
         lot 5 p1
         lot 5 p2
         open
         buy v1 k1 1 -> h1
         buy v1 k2 1 p2 -> h2
         buy v1 k3 1 -> over_limit 2
         buy v1 k3 1 p2 -> over_limit 2
         buy v1 k3 3 p1 -> over_limit 4
         buy v1 k3 2 p1 -> h3
         buy v2 k1 2 p2 -> h4
         buy v2 k2 1 -> over_limit 2
         held h1
         end h1 -> won
         buy v1 k4 1 p2 -> over_limit 2
         give h1 -> public 1
         buy v1 k4 1 p2 -> h5
         buy v1 k5 1 -> over_limit 2",
    );
}
