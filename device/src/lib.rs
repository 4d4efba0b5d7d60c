//! The other end of the wire: a reference agent, and a simulated fleet of them.
