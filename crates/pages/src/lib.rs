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
mod pages;
mod room;
mod shows;
mod sign_in;
mod visitor;
mod words;

use axum::{Router, routing::get};

use crate::api::Api;

/// The pages in front of the interface: what is no page goes to `interface`.
pub fn router(interface: Router) -> Router {
    Router::new()
        .route("/", get(sign_in::first))
        .route("/sign-in", get(sign_in::sign_in))
        .route("/join/{secret}", get(sign_in::join))
        .route("/choose", get(sign_in::choose))
        .route("/shows", get(shows::shows))
        .route("/live/{stream}", get(room::live))
        .route("/stage/{stream}", get(room::stage))
        .route("/ops", get(ops::ops))
        .route("/assets/{name}", get(assets::answer))
        .route("/goods/{file}", get(goods::answer))
        .with_state(Api::new(interface.clone()))
        .fallback_service(interface)
}
