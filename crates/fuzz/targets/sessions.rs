//! Several connections of a few viewers do whatever they like; the gateway keeps its word.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stampede_fuzz::{sale::Sale, step::Step};

fuzz_target!(|steps: Vec<Step>| {
    let mut sale = Sale::open();
    for step in steps.iter().take(200) {
        sale.step(step);
    }
    sale.finish();
});
