//! The self-check.
use crate::component::ComponentId;
use crate::path::ElementPath;
/// x
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct Violation;
/// x
pub fn check(
    _r: &ComponentId,
    _b: Option<&str>,
    _o: &str,
    _t: &str,
    _res: &str,
    _open: &[ElementPath],
) -> Result<(), Violation> {
    Ok(())
}
