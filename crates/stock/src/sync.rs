//! The one place that chooses between real atomics for use, modelled ones for `loom`.

#[cfg(not(stampede_loom))]
pub(crate) use std::sync::{
    OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(stampede_loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

#[cfg(stampede_loom)]
pub(crate) use once::OnceLock;

#[cfg(stampede_loom)]
mod once {
    use loom::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    };

    /// The standard cell's interface; its orderings are modelled, so that `loom` knows them.
    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        is_set: AtomicBool,
        setter: Mutex<()>,
        value: std::sync::OnceLock<T>,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            let (is_set, setter) = (AtomicBool::new(false), Mutex::new(()));
            Self { is_set, setter, value: std::sync::OnceLock::new() }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            // ORDERING: Acquire as the standard cell has it.
            if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
            if let Some(value) = self.get() {
                return value;
            }
            let _one_at_a_time = self.setter.lock().expect("no test panics under the lock");
            let value = self.value.get_or_init(init);
            // ORDERING: Release as the standard cell has it.
            self.is_set.store(true, Ordering::Release);
            value
        }
    }
}
