//! Viewer WebSocket server: one single-threaded runtime per core.
