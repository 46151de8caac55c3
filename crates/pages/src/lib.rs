//! Pages for hosts, merchants with ops: rendered here, then kept true by modules in the browser.
//!
//! [`router`] stands in front of the interface's own router and asks it from within the process: a page
//! knows what the documented interface answers to its visitor, nothing else.

mod answers;
mod api;
mod assets;
mod chart;
mod demo;
mod goods;
mod live;
mod numbers;
mod ops;
mod orders;
mod pages;
mod room;
mod shows;
mod sign_in;
mod visitor;
mod words;

use axum::{
    Router,
    routing::{MethodRouter, get},
};

use crate::api::Api;

/// Every page with its path.
fn pages() -> [(&'static str, MethodRouter<Api>); 13] {
    [
        ("/", get(sign_in::first)),
        ("/sign-in", get(sign_in::sign_in)),
        ("/join/{secret}", get(sign_in::join)),
        ("/choose", get(sign_in::choose)),
        ("/shows", get(shows::shows)),
        ("/live/{stream}", get(room::live)),
        ("/stage/{stream}", get(room::stage)),
        ("/orders", get(orders::orders)),
        ("/orders/{order}", get(orders::order)),
        ("/attention", get(orders::attention)),
        ("/ops", get(ops::ops)),
        ("/assets/{name}", get(assets::answer)),
        ("/goods/{file}", get(goods::answer)),
    ]
}

/// The paths of all pages, with the names of what stands for a part of them in braces.
pub fn paths() -> impl Iterator<Item = &'static str> {
    pages().into_iter().map(|(path, _)| path)
}

/// The pages in front of the interface: what is no page goes to `interface`.
pub fn router(interface: Router) -> Router {
    let all = pages().into_iter().fold(Router::new(), |all, (path, page)| all.route(path, page));
    all.with_state(Api::new(interface.clone())).fallback_service(interface)
}
