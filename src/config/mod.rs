//! (index card of `config`)
