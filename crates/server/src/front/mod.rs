//! The front doors: what listens, speaks TLS and frames requests. Everything behind them is
//! reached through `dispatch` (KMIP) and the Vault-compatible API (HTTP).

pub mod http;
pub mod kmip;
