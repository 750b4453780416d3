pub mod invitations;
pub mod links;
pub mod ops;
pub mod rest;
pub mod store;
