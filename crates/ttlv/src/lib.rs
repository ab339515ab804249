//! claviger-ttlv
