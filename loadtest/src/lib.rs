//! An open-loop crowd of viewers that audits every promise it received.
