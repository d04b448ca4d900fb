//! The pipelined client of the REST hot path.
