//! The C ABI of sealers, data keys, streams, readers, blind indexes, settings and Fernet as a careless or
//! hostile host calls it: handles in any order, any lengths and capacities. Where opening fails, nothing but
//! zeros is left in the output.
#![no_main]

use std::cell::Cell;
use std::ptr;

use donjon::ffi::*;
use donjon_fuzz::KEYS;
use donjon_fuzz::abi::{Host, Input, Script, checked, diagnosed, handle, output, record};
use donjon_fuzz::sealers::are_costly;
use libfuzzer_sys::fuzz_target;

const MOST_CALLS: usize = 48;
const WORDS: [&str; 16] = [
    KEYS,
    "\0\0\0\x05users\0\0\0\x05email",
    "\0\0\0\x05users",
    "email",
    "acme",
    "correct horse",
    "key-encryption-key-for-the-fuzze",
    "arn:aws:kms:eu-central-1:1:key/2",
    "wrapped",
    "DATABASE_URL",
    "sealed:RERK",
    r#"["kek","kek-gone"]"#,
    "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==",
    "secretkey1234",
    "mZmd2gCjhbgP+zERTR+3cA==",
];

fuzz_target!(|script: &[u8]| run(&mut Host::new(script, &WORDS)));

fn run(host: &mut Host<'_>) {
    let keys = Input::draw(&mut Script(&[64]), &WORDS, &[]);
    let keyring = handle(|out| unsafe { donjon_keyring_from_jwks(keys.ptr, keys.len, out) }).unwrap();
    let mut sealers = vec![handle(|out| unsafe { donjon_sealer_new(keyring, out) }).unwrap()];
    let (mut encryptors, mut decryptors, mut readers) = (vec![], vec![], vec![]);
    let (mut indexes, mut fernets) = (vec![], vec![]);
    for _ in 0..MOST_CALLS {
        if host.script.0.is_empty() {
            break;
        }
        let sealer = host.pick(&sealers);
        match host.script.byte() % 12 {
            0 => sealers.extend(make_sealer(host, keyring)),
            1 => sealers.extend(data_key(host, sealer)),
            2 => seal_and_open(host, sealer),
            3 => {
                let to = host.pick(&sealers);
                rewrap(host, sealer, to);
            }
            4 => encryptors.extend(encryptor(host, sealer)),
            5 => {
                let encryptor = host.pick(&encryptors);
                encrypt(host, encryptor);
            }
            6 => decryptors.extend(decryptor(host, sealer)),
            7 => {
                let decryptor = host.pick(&decryptors);
                decrypt(host, decryptor);
            }
            8 => readers.extend(reader(host, sealer)),
            9 => {
                let reader = host.pick(&readers);
                read(host, reader);
            }
            10 => match host.script.byte() % 3 {
                0 => indexes.extend(blind_index(host, keyring)),
                1 => fernets.extend(fernet(host)),
                // What was made of a sealer outlives it.
                _ if sealers.len() > 1 => unsafe { donjon_sealer_free(sealers.swap_remove(0)) },
                _ => {}
            },
            _ => match host.script.byte() % 3 {
                0 => {
                    let index = host.pick(&indexes);
                    look_up(host, index);
                }
                1 => {
                    let fernet = host.pick(&fernets);
                    ask_fernet(host, fernet);
                }
                _ => ask(host, keyring),
            },
        }
    }
    unsafe { donjon_keyring_free(keyring) };
    sealers.into_iter().for_each(|sealer| unsafe { donjon_sealer_free(sealer) });
    encryptors.into_iter().for_each(|encryptor| unsafe { donjon_encryptor_free(encryptor) });
    decryptors.into_iter().for_each(|decryptor| unsafe { donjon_decryptor_free(decryptor) });
    readers.into_iter().for_each(|reader| unsafe { donjon_reader_free(reader) });
    indexes.into_iter().for_each(|index| unsafe { donjon_blind_index_free(index) });
    fernets.into_iter().for_each(|fernet| unsafe { donjon_fernet_free(fernet) });
}

fn make_sealer(host: &mut Host<'_>, keyring: *const donjon_keyring) -> Option<*mut donjon_sealer> {
    let (a, b, c) = (host.input(), host.input(), host.input());
    let costs = [host.script.number(), host.script.number(), host.script.number()].map(|cost| cost as u32);
    match host.script.byte() % 3 {
        0 => diagnosed(handle(|out| unsafe { donjon_sealer_new(keyring, out) }), &|out, cap, len| unsafe {
            donjon_sealer_diagnose(keyring, out, cap, len)
        }),
        1 => {
            let [memory_kib, time_cost, parallelism] = costs;
            let made = handle(|out| unsafe {
                donjon_sealer_from_passphrase(a.ptr, a.len, memory_kib, time_cost, parallelism, out)
            });
            // The default among them: made, and never used.
            let is_cheap = (1..256).contains(&memory_kib);
            made.filter(|sealer| {
                if !is_cheap {
                    unsafe { donjon_sealer_free(*sealer) };
                }
                is_cheap
            })
        }
        _ => handle(|out| unsafe {
            donjon_sealer_from_external(a.ptr, a.len, b.ptr, b.len, c.ptr, c.len, out)
        }),
    }
}

fn data_key(host: &mut Host<'_>, wrapping: *const donjon_sealer) -> Option<*mut donjon_sealer> {
    let (scope, wrapped) = (host.input(), host.input());
    let now_s = host.script.number();
    if host.script.byte() % 2 == 0 {
        let made = Cell::new(ptr::null_mut());
        host.output(&|out, cap, len| unsafe {
            donjon_data_key_new(wrapping, scope.ptr, scope.len, now_s, out, cap, len, made.as_ptr())
        });
        return Some(made.get()).filter(|made| !made.is_null());
    }
    let (ptr, len) = (wrapped.ptr, wrapped.len);
    if is_costly(&wrapped) {
        return None;
    }
    handle(|out| unsafe { donjon_data_key_open(wrapping, scope.ptr, scope.len, now_s, ptr, len, out) })
}

fn seal_and_open(host: &mut Host<'_>, sealer: *const donjon_sealer) {
    let (context, input, key) = (host.input(), host.input(), host.input());
    let now_s = host.script.number();
    let sealed_len = record::<usize>(|out| unsafe { donjon_sealer_sealed_len(sealer, input.len, out) });
    match host.script.byte() % 6 {
        0 => {
            let sealed = output(&mut host.script, &|out, cap, len| unsafe {
                donjon_sealer_seal(
                    sealer,
                    context.ptr,
                    context.len,
                    now_s,
                    input.ptr,
                    input.len,
                    out,
                    cap,
                    len,
                )
            });
            if let Some(sealed) = sealed {
                assert_eq!(sealed_len, Ok(sealed.len()));
                host.last = sealed;
            }
        }
        1 if !is_costly(&input) => host.opened(&|out, cap, len| unsafe {
            donjon_sealer_open(sealer, context.ptr, context.len, now_s, input.ptr, input.len, out, cap, len)
        }),
        2 => host.output(&|out, cap, len| unsafe {
            donjon_chunked_seal(
                key.ptr,
                key.len,
                context.ptr,
                context.len,
                input.ptr,
                input.len,
                out,
                cap,
                len,
            )
        }),
        3 => host.opened(&|out, cap, len| unsafe {
            donjon_chunked_open(
                key.ptr,
                key.len,
                context.ptr,
                context.len,
                input.ptr,
                input.len,
                out,
                cap,
                len,
            )
        }),
        4 => host.output(&|out, cap, len| unsafe {
            donjon_context_append(context.ptr, context.len, input.ptr, input.len, out, cap, len)
        }),
        _ => host.output(&|out, cap, len| unsafe { donjon_sealer_key_id(sealer, out, cap, len) }),
    }
}

fn rewrap(host: &mut Host<'_>, from: *const donjon_sealer, to: *const donjon_sealer) {
    let (input, scope) = (host.input(), host.input());
    let (ptr, len) = (input.ptr, input.len);
    let now_s = host.script.number();
    match host.script.byte() % 5 {
        0 if !is_costly(&input) => {
            let old_len = Cell::new(0);
            host.output(&|out, cap, out_len| unsafe {
                donjon_sealer_rewrap(from, to, now_s, ptr, len, old_len.as_ptr(), out, cap, out_len)
            });
            assert!(old_len.get() <= len);
        }
        1 if !is_costly(&input) => host.output(&|out, cap, out_len| unsafe {
            donjon_data_key_rewrap(from, to, scope.ptr, scope.len, now_s, ptr, len, out, cap, out_len)
        }),
        2 => {
            let answer = record::<u32>(|out| unsafe { donjon_sealer_needs_rewrap(from, ptr, len, out) });
            assert!(answer.unwrap_or(0) <= 1);
        }
        3 => host.output(&|out, cap, out_len| unsafe { donjon_external_key_generate(out, cap, out_len) }),
        _ => {
            host.output(&|out, cap, out_len| unsafe { donjon_envelope_inspect(ptr, len, out, cap, out_len) })
        }
    }
}

fn encryptor(host: &mut Host<'_>, sealer: *const donjon_sealer) -> Option<*mut donjon_encryptor> {
    let context = host.input();
    let (now_s, threads) = (host.script.number(), host.script.byte().into());
    let made = Cell::new(ptr::null_mut());
    host.output(&|out, cap, len| unsafe {
        donjon_encryptor_new(sealer, context.ptr, context.len, now_s, threads, out, cap, len, made.as_ptr())
    });
    Some(made.get()).filter(|made| !made.is_null())
}

fn encrypt(host: &mut Host<'_>, encryptor: *const donjon_encryptor) {
    let input = host.input();
    assert!(donjon_stream_bound(input.len) >= input.len);
    if host.script.byte() % 4 == 0 {
        host.output(&|out, cap, len| unsafe { donjon_encryptor_finish(encryptor, out, cap, len) });
    } else {
        host.output(&|out, cap, len| unsafe {
            donjon_encryptor_push(encryptor, input.ptr, input.len, out, cap, len)
        });
    }
}

fn decryptor(host: &mut Host<'_>, sealer: *const donjon_sealer) -> Option<*mut donjon_decryptor> {
    let (context, prefix) = (host.input(), host.input());
    let (now_s, threads) = (host.script.number(), host.script.byte().into());
    if is_costly(&prefix) {
        return None;
    }
    let mut consumed = 0;
    let made = handle(|out| unsafe {
        donjon_decryptor_new(
            sealer,
            context.ptr,
            context.len,
            now_s,
            threads,
            prefix.ptr,
            prefix.len,
            &mut consumed,
            out,
        )
    });
    // What comes next goes in next.
    if made.is_some() {
        host.last = prefix.bytes().unwrap()[consumed..].to_vec();
    }
    made
}

fn decrypt(host: &mut Host<'_>, decryptor: *const donjon_decryptor) {
    let input = host.input();
    if host.script.byte() % 4 == 0 {
        host.opened(&|out, cap, len| unsafe { donjon_decryptor_finish(decryptor, out, cap, len) });
    } else {
        host.opened(&|out, cap, len| unsafe {
            donjon_decryptor_push(decryptor, input.ptr, input.len, out, cap, len)
        });
    }
}

fn reader(host: &mut Host<'_>, sealer: *const donjon_sealer) -> Option<*mut donjon_reader> {
    let (context, prefix, tail) = (host.input(), host.input(), host.input());
    let now_s = host.script.number();
    let total_len = if host.script.byte() % 2 == 0 { tail.len as u64 } else { host.script.number() as u64 };
    if is_costly(&prefix) {
        return None;
    }
    handle(|out| unsafe {
        donjon_reader_new(
            sealer,
            context.ptr,
            context.len,
            now_s,
            prefix.ptr,
            prefix.len,
            tail.ptr,
            tail.len,
            total_len,
            out,
        )
    })
}

fn read(host: &mut Host<'_>, reader: *const donjon_reader) {
    let span = host.input();
    let (offset, len) = (host.script.number() as u64, host.script.number() as u64);
    let total = record::<u64>(|out| unsafe { donjon_reader_len(reader, out) });
    let mut wanted = [0; 2];
    let [span_offset, span_len] = &mut wanted;
    let asked = checked(unsafe { donjon_reader_span(reader, offset, len, span_offset, span_len) });
    assert_eq!(asked == 0, total.is_ok());
    host.opened(&|out, cap, out_len| unsafe {
        donjon_reader_read(reader, offset, len, span.ptr, span.len, out, cap, out_len)
    });
}

fn blind_index(host: &mut Host<'_>, keyring: *const donjon_keyring) -> Option<*mut donjon_blind_index> {
    let (tenant, table, column) = (host.input(), host.input(), host.input());
    let bits = host.script.number() as u32;
    let made = handle(|out| unsafe {
        donjon_blind_index_new(
            keyring, tenant.ptr, tenant.len, table.ptr, table.len, column.ptr, column.len, bits, out,
        )
    });
    diagnosed(made, &|out, cap, len| unsafe {
        donjon_blind_index_diagnose(
            keyring, tenant.ptr, tenant.len, table.ptr, table.len, column.ptr, column.len, bits, out, cap,
            len,
        )
    })
}

fn look_up(host: &mut Host<'_>, index: *const donjon_blind_index) {
    let value = host.input();
    let now_s = host.script.number();
    let mut whole = Script(&[255]);
    let candidates = output(&mut whole, &|out, cap, len| unsafe {
        donjon_blind_index_candidates(index, now_s, value.ptr, value.len, out, cap, len)
    });
    let of_primary = output(&mut host.script, &|out, cap, len| unsafe {
        donjon_blind_index_value(index, now_s, value.ptr, value.len, out, cap, len)
    });
    if let (Some(candidates), Some(of_primary)) = (candidates, of_primary) {
        assert!(candidates.starts_with(&of_primary));
    }
}

fn fernet(host: &mut Host<'_>) -> Option<*mut donjon_fernet> {
    let keys = host.input();
    handle(|out| unsafe { donjon_fernet_new(keys.ptr, keys.len, out) })
}

fn ask_fernet(host: &mut Host<'_>, fernet: *const donjon_fernet) {
    let input = host.input();
    let (ptr, len) = (input.ptr, input.len);
    let (now_s, ttl_s) = (host.script.number(), host.script.number());
    match host.script.byte() % 4 {
        0 => {
            let token = output(&mut host.script, &|out, cap, out_len| unsafe {
                donjon_fernet_encrypt(fernet, now_s, ptr, len, out, cap, out_len)
            });
            if let Some(token) = token {
                assert_eq!(token.len(), donjon_fernet_token_len(len));
                host.last = token;
            }
        }
        1 => host.opened(&|out, cap, out_len| unsafe {
            donjon_fernet_decrypt(fernet, now_s, ttl_s, ptr, len, out, cap, out_len)
        }),
        2 => host.output(&|out, cap, out_len| unsafe {
            donjon_fernet_rotate(fernet, ptr, len, out, cap, out_len)
        }),
        _ => _ = record::<i64>(|out| unsafe { donjon_fernet_timestamp(fernet, ptr, len, out) }),
    }
}

fn ask(host: &mut Host<'_>, keyring: *const donjon_keyring) {
    let (a, b) = (host.input(), host.input());
    let (now_s, number) = (host.script.number(), host.script.number());
    match host.script.byte() % 6 {
        0 => host.output(&|out, cap, len| unsafe {
            donjon_setting_seal(keyring, a.ptr, a.len, b.ptr, b.len, now_s, out, cap, len)
        }),
        1 => host.opened(&|out, cap, len| unsafe {
            donjon_setting_open(keyring, a.ptr, a.len, b.ptr, b.len, now_s, out, cap, len)
        }),
        2 => host.output(&|out, cap, len| unsafe {
            donjon_erasure(keyring, a.ptr, a.len, number, now_s, out, cap, len)
        }),
        3 => host.output(&|out, cap, len| unsafe { donjon_fernet_generate_key(out, cap, len) }),
        4 => {
            let iterations = (number % 128) as u32;
            host.output(&|out, cap, len| unsafe {
                donjon_fernet_derive_key(a.ptr, a.len, b.ptr, b.len, iterations, out, cap, len)
            });
        }
        _ => {
            let padding = number as u32 % 5;
            host.opened(&|out, cap, len| unsafe {
                donjon_aes_engine_open(a.ptr, a.len, padding, b.ptr, b.len, out, cap, len)
            });
        }
    }
}

fn is_costly(input: &Input) -> bool {
    input.bytes().is_some_and(are_costly)
}
