//! The elements of each complex type: what they hold, which are lists, their keys and their order.
