//! Does. The tables, topics, direct messages. AWS types stop here.
