//! The client's address.

use std::mem::MaybeUninit;

use super::{Failure, Handle, Noun, Outcome, answer, check, ffi};

impl Noun for ffi::donjon_proxies {
    const FREE: unsafe extern "C" fn(*mut Self) = ffi::donjon_proxies_free;
}

pub(crate) struct Proxies(Handle<ffi::donjon_proxies>);

/// Who it is that asks.
pub(crate) struct Client(ffi::donjon_client);

impl Proxies {
    pub(crate) fn new(config: &[u8]) -> Outcome<Self> {
        // SAFETY: the module's contract.
        Handle::make(|out| unsafe { ffi::donjon_proxies_new(config.as_ptr(), config.len(), out) }).map(Self)
    }

    /// `lines` are the header's, with line feeds between them.
    pub(crate) fn client(&self, peer: &[u8], lines: &[u8]) -> Outcome<Client> {
        let mut client = MaybeUninit::uninit();
        // SAFETY: the module's contract.
        check(unsafe {
            ffi::donjon_proxies_client(
                self.0.get(),
                peer.as_ptr(),
                peer.len(),
                lines.as_ptr(),
                lines.len(),
                client.as_mut_ptr(),
            )
        })?;
        // SAFETY: the call succeeded, so it has written all of it.
        Ok(Client(unsafe { client.assume_init() }))
    }
}

impl Client {
    pub(crate) fn ip(&self) -> Outcome<&str> {
        text(&self.0.ip, self.0.ip_len)
    }

    pub(crate) fn bucket(&self) -> Outcome<&str> {
        text(&self.0.bucket, self.0.bucket_len)
    }

    pub(crate) const fn is_from_header(&self) -> bool {
        self.0.from_header != 0
    }
}

fn text(bytes: &[u8], len: u8) -> Outcome<&str> {
    let text = bytes.get(..len.into()).and_then(|text| std::str::from_utf8(text).ok());
    text.ok_or(Failure::INTERNAL_ERROR)
}

/// Why [`Proxies::new`] refuses a configuration.
pub(crate) fn proxies_diagnose(config: &[u8]) -> Outcome<Vec<u8>> {
    // SAFETY: the module's contract.
    answer(|out, cap, len| unsafe {
        ffi::donjon_proxies_diagnose(config.as_ptr(), config.len(), out, cap, len)
    })
}
