//! What the library declares, as a server reads it when it has loaded it. `tests/it/mysql` drives the functions.
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    reason = "the server's component interface is one of C; a test says what went wrong by panicking"
)]

use std::ffi::{CStr, c_char, c_void};

use component_claviger_kmip as _;

/// `mysql_component_t`, as far as it is read here: lists of pairs, which end with nothing.
#[repr(C)]
struct Component {
    name: *const c_char,
    provides: *const [*const c_void; 2],
    requires: *const [*const c_void; 2],
    metadata: *const [*const c_void; 2],
    init: unsafe extern "C" fn() -> i32,
    deinit: unsafe extern "C" fn() -> i32,
}

unsafe extern "C" {
    fn list_components() -> *const Component;
}

/// # Safety
/// The pairs end with one of nothing, and the first of each is a text that ends with a zero.
unsafe fn pairs(list: *const [*const c_void; 2]) -> Vec<(String, *const c_void)> {
    // SAFETY: as the caller says.
    unsafe {
        let pairs = (0..).map(|at| *list.add(at)).take_while(|[name, _]| !name.is_null());
        pairs.map(|[name, other]| (text(name.cast()), other)).collect()
    }
}

/// # Safety
/// A text that ends with a zero.
unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: as the caller says.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

#[test]
fn eight_services_are_declared_and_none_is_needed() {
    // SAFETY: the declaration lives for ever, and is as the interface says.
    unsafe {
        let component = &*list_components();
        let name = text(component.name);
        let services = pairs(component.provides);
        assert!(services.iter().all(|(_, functions)| !functions.is_null()));
        let names: Vec<_> = services
            .iter()
            .map(|(service, _)| service.strip_suffix(&format!(".{name}")).unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "keyring_load",
                "keyring_reader_with_status",
                "keyring_writer",
                "keyring_generator",
                "keyring_keys_metadata_iterator",
                "keyring_component_status",
                "keyring_component_metadata_query",
                "keyring_aes",
            ]
        );
        assert!(pairs(component.requires).is_empty());
        let metadata = pairs(component.metadata);
        let license = metadata.iter().find(|(key, _)| key == "mysql.license").unwrap();
        assert_eq!(text(license.1.cast()), "MIT OR Apache-2.0");
        assert_eq!((component.init)(), 0);
        assert_eq!((component.deinit)(), 0);
    }
}
