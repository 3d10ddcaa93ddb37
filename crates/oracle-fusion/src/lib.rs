//! oracle-fusion
