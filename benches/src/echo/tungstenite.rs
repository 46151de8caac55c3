//! WebSocket echo as a usual tokio server does it.

use std::{io, net};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{LocalSet, spawn_local},
};
use tokio_tungstenite::{accept_async_with_config, tungstenite::protocol::WebSocketConfig};

/// tungstenite zero-fills its read buffer at each read, so a small one is its fastest.
const READ_BYTES: usize = 1_024;

/// Serves until the process is killed.
pub(crate) fn serve(listener: net::TcpListener) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            spawn_local(echo(stream));
        }
    })
}

async fn echo(stream: TcpStream) {
    let config = WebSocketConfig::default().read_buffer_size(READ_BYTES);
    let Ok(mut socket) = accept_async_with_config(stream, Some(config)).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        if message.is_binary() && socket.send(message).await.is_err() {
            return;
        }
    }
}
