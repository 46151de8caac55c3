//! Whether this process may have as many descriptors as a drill needs.

use stampede_swarm::raise_descriptor_limit;

use crate::error::DrillError;

/// Descriptors of each process beside those of its connections.
const DESCRIPTORS_BESIDE: u64 = 200;

/// Whether this process may have as many descriptors as the crowd needs; so may the server then,
/// which has the same limit.
pub(crate) fn check_descriptors(connections: u32) -> Result<(), DrillError> {
    let (needed, limit) = (u64::from(connections) + DESCRIPTORS_BESIDE, raise_descriptor_limit());
    if needed > limit {
        return Err(DrillError::Descriptors { connections, needed, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_beyond_the_limit_of_descriptors_is_refused_with_what_to_do() {
        let refused = check_descriptors(u32::MAX).unwrap_err().to_string();
        assert!(refused.starts_with("4294967295 connections need 4294967495 descriptors"));
        assert!(refused.contains("--connections"), "{refused}");
        assert!(check_descriptors(10).is_ok());
    }
}
