//! Pages for hosts, merchants with ops: rendered here, then kept true by modules in the browser.
//!
//! [`router`] stands in front of the interface's own router and asks it from within the process: a page
//! knows what the documented interface answers to its visitor, nothing else.

mod accounts;
mod answers;
mod api;
mod asked;
mod assets;
mod chart;
mod demo;
mod goods;
mod lists;
mod live;
mod numbers;
mod ops;
mod orders;
mod pages;
mod past_shows;
mod plan;
mod reader;
mod reports;
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
fn pages() -> [(&'static str, MethodRouter<Api>); 24] {
    [
        ("/", get(sign_in::first)),
        ("/sign-in", get(sign_in::sign_in)),
        ("/join/{secret}", get(sign_in::join)),
        ("/choose", get(sign_in::choose)),
        ("/shows", get(shows::shows)),
        ("/plan", get(plan::choose)),
        ("/plan/{stream}", get(plan::show)),
        ("/plan/{stream}/{drop}", get(plan::drop)),
        ("/live/{stream}", get(room::live)),
        ("/stage/{stream}", get(room::stage)),
        ("/orders", get(orders::orders)),
        ("/orders/{order}", get(orders::order)),
        ("/attention", get(orders::attention)),
        ("/reports", get(reports::reports)),
        ("/reports/{drop}", get(reports::drop)),
        ("/reports/{drop}/print", get(reports::print_drop)),
        ("/reports/shows/{drop}", get(reports::show)),
        ("/reports/shows/{drop}/print", get(reports::print_show)),
        ("/shared/{secret}", get(reports::shared)),
        ("/shared/{secret}/print", get(reports::print_shared)),
        ("/accounts", get(accounts::accounts)),
        ("/ops", get(ops::ops)),
        ("/assets/{name}", get(assets::answer)),
        ("/goods/{file}", get(goods::answer)),
    ]
}

/// The paths of all pages, with the names of what stands for a part of them in braces.
pub fn paths() -> impl Iterator<Item = &'static str> {
    pages().into_iter().map(|(path, _)| path)
}

/// Those of them that need no sign-in, with the files that they are made of.
const SHARED: [&str; 3] = ["/shared/{secret}", "/shared/{secret}/print", "/assets/{name}"];

/// The pages of shared reports in front of what is public without them: what is no such page goes to `shared`.
pub fn shared_router(shared: Router) -> Router {
    let open = pages().into_iter().filter(|(path, _)| SHARED.contains(path));
    let all = open.fold(Router::new(), |all, (path, page)| all.route(path, page));
    all.with_state(Api::new(shared.clone())).fallback_service(shared)
}

/// The pages in front of the interface: what is no page goes to `interface`.
pub fn router(interface: Router) -> Router {
    let all = pages().into_iter().fold(Router::new(), |all, (path, page)| all.route(path, page));
    all.with_state(Api::new(interface.clone())).fallback_service(interface)
}
