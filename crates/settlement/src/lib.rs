//! From a durable hold to an order: payment attempts decided, then confirmed.
