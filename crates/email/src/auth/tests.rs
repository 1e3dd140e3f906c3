//! Cases of SPF without a network.
