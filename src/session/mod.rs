//! Sessions: who is logged in, on which devices, and for how much longer.

mod cookie;
mod csrf;
mod error;
mod fetch_metadata;
mod web;

pub use cookie::{
    MAX_COOKIE_DOMAIN_LEN, MAX_COOKIE_HEADER_LEN, MAX_COOKIE_NAME_LEN, MAX_COOKIE_PATH_LEN, MAX_SET_COOKIE_LEN,
};
pub use csrf::CSRF_TOKEN_LEN;
pub use error::SessionError;
pub use fetch_metadata::{MAX_ORIGIN_LEN, MAX_TRUSTED_ORIGINS, Request};
pub use web::Web;
