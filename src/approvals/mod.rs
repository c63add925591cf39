//! (index card of `approvals`)
