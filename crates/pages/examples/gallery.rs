//! Every state of the pages, to be looked at: serves them on the port that is given, to somebody of the role that is
//! given, a host if none is.

#[path = "../tests/pages/fake.rs"]
mod fake;

use std::{env, io};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let port = env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?;
    println!("http://{address}/shows");
    let role = env::args().nth(2).unwrap_or_else(|| "host".to_owned());
    for path in ["orders", "orders?text=3-37-1", "orders/3-37-0"] {
        println!("http://{address}/{path}");
    }
    for (drop, about) in fake::told::DROPS {
        println!("http://{address}/reports/{drop} {about}");
    }
    for secret in fake::told_shows::SECRETS {
        println!("http://{address}/shared/{secret}");
    }
    for stream in fake::STREAMS {
        println!("http://{address}/live/{stream}");
    }
    axum::serve(listener, stampede_pages::router(fake::interface(Some(role.leak())))).await
}
