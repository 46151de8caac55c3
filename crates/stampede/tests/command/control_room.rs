//! A host in a browser: signs in, runs a show from the control room.

use serde_json::json;
use thirtyfour::prelude::*;

use crate::{
    browser::{browser, driver, see},
    running::Running,
    shop::command,
};

const STREAM: &str = "friday-show";

/// Tabs that follow the show at once: more than the connections that a browser opens to a server.
const TABS: usize = 8;

/// Plans a drop; its id.
fn plan(server: &Running, token: &str, place: u16, title: &str, countdown_ms: u32) -> String {
    let plan = json!({
        "stream": STREAM, "running_order": place, "title": title, "merchant": "potter",
        "host": "nina", "limit_per_viewer": 1, "hold_ttl_ms": 120_000, "countdown_ms": countdown_ms,
        "skus": [{"id": "mug", "title": "Mug", "supply": 50,
                  "price": {"minor": 1_500, "currency": "EUR"}}]
    });
    let planned = command(server, token, "drops", &format!("plan-{place}"), &plan);
    planned["drop"].as_str().unwrap().to_owned()
}

async fn press(page: &WebDriver, name: &str, label: &str) {
    let button = see(page, &format!("[data-command={name}]"), label).await;
    button.click().await.unwrap();
}

async fn sign_in(page: &WebDriver, address: &str, token: &str) {
    page.goto(&format!("{address}live/{STREAM}")).await.unwrap();
    let field = page.query(By::Css("#token")).first().await.unwrap();
    field.send_keys("stf_nobody").await.unwrap();
    field.send_keys(Key::Enter).await.unwrap();
    see(page, ".wrong", "does not know this token").await;
    field.clear().await.unwrap();
    field.send_keys(token).await.unwrap();
    field.send_keys(Key::Enter).await.unwrap();
    see(page, "[data-s=empty-title]", "Nothing is on air").await;
}

#[test]
fn a_host_runs_a_show_from_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let server = Running::start(&dir.path().join("data"));
    let token = server.token.clone().unwrap();
    let first = plan(&server, &token, 1, "Grey mug", 600_000);
    plan(&server, &token, 2, "Blue mug", 1_000);
    plan(&server, &token, 3, "Red mug", 1_000);
    let (_driver, driver) = driver();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let page = browser(&driver, &dir.path().join("profile")).await;
        sign_in(&page, &server.control, &token).await;
        countdown_can_be_cancelled(&page).await;
        command(&server, &token, &format!("drops/{first}/cancel"), "cancel", &json!({}));
        sells_pauses_resumes(&page).await;
        commands_pass_while_many_tabs_follow(&page, &server.control).await;
        restocks_then_closes(&page).await;
        page.quit().await.unwrap();
    });
}

async fn countdown_can_be_cancelled(page: &WebDriver) {
    see(page, "[data-s=next-title]", "Grey mug").await;
    press(page, "next", "Start next drop").await;
    see(page, "[data-s=hero]", "Opens in").await;
    press(page, "stop", "Cancel countdown").await;
    see(page, "[data-s=result]", "Countdown cancelled").await;
    see(page, "[data-s=empty-title]", "Nothing is on air").await;
}

async fn sells_pauses_resumes(page: &WebDriver) {
    see(page, "[data-s=next-title]", "Blue mug").await;
    press(page, "next", "Start next drop").await;
    see(page, "[data-s=state]", "Open").await;
    see(page, "[data-s=hero]", "50").await;
    press(page, "stop", "Pause").await;
    see(page, "[data-s=result]", "Paused").await;
    see(page, "[data-s=state]", "Paused").await;
    let state = page.find(By::Css("[data-s=state]")).await.unwrap();
    let body = page.find(By::Tag("body")).await.unwrap();
    while state.text().await.unwrap() != "Open" {
        // Deaf at first, so that a double press of Pause does not resume. This key never stops a sale.
        body.send_keys("o").await.unwrap();
    }
}

/// Tabs share one stream of events, so that there is a connection left for a command.
async fn commands_pass_while_many_tabs_follow(page: &WebDriver, address: &str) {
    let first = page.window().await.unwrap();
    for _ in 1..TABS {
        let tab = page.new_tab().await.unwrap();
        page.switch_to_window(tab).await.unwrap();
        page.goto(&format!("{address}live/{STREAM}")).await.unwrap();
        see(page, "[data-s=age]", "old").await;
    }
    // The last tab presses, the first one sees it.
    let body = page.find(By::Tag("body")).await.unwrap();
    body.send_keys("p").await.unwrap();
    see(page, "[data-s=result]", "Paused").await;
    page.switch_to_window(first).await.unwrap();
    see(page, "[data-s=state]", "Paused").await;
}

async fn restocks_then_closes(page: &WebDriver) {
    press(page, "restock", "Restock").await;
    see(page, "[data-s=restock-confirm]", "250").await.click().await.unwrap();
    see(page, "[data-s=result]", "by 250").await;
    see(page, "[data-s=hero]", "300").await;
    // A short press says what it means.
    press(page, "close", "Close").await;
    see(page, "[data-s=close-question]", "Blue mug").await;
    see(page, "[data-do=dismiss]", "Keep selling").await.click().await.unwrap();
    let close = see(page, "[data-command=close]", "Close").await;
    page.action_chain().click_and_hold_element(&close).perform().await.unwrap();
    see(page, "[data-s=result]", "Closed").await;
    page.action_chain().release().perform().await.unwrap();
    see(page, "[data-s=hero]", "Closed").await;
    see(page, "[data-command=next]", "Red mug").await;
}
