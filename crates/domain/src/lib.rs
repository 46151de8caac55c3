//! Ids, quantities, money, time, drop plans, phases and limits that every other crate agrees on.
