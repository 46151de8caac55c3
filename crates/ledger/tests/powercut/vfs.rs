//! `SQLite`'s view of the disk that forgets: a VFS of our own.
//!
//! Contents live in [`Disk`]; locks, shared memory and names are those of the platform's VFS, on
//! files that stay empty.
#![allow(unsafe_code, reason = "SQLite takes a VFS as C function pointers only")]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr, slice,
    sync::Once,
};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::ffi::{
    self, SQLITE_ACCESS_EXISTS, SQLITE_CANTOPEN, SQLITE_IOCAP_POWERSAFE_OVERWRITE,
    SQLITE_IOERR_FSYNC, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_TRUNCATE,
    SQLITE_IOERR_WRITE, SQLITE_NOTFOUND, SQLITE_OK, sqlite3_file, sqlite3_int64,
    sqlite3_io_methods, sqlite3_vfs,
};

use crate::disk::{Disk, PowerOff};

/// Calls a method of the platform's file behind ours.
macro_rules! forward {
    ($file:ident, $method:ident $(, $argument:ident)*) => {{
        let real = real($file);
        let methods = (*real).pMethods;
        (*methods).$method.expect("the platform's files have every method")(real $(, $argument)*)
    }};
}

/// The name under which the VFS is registered.
pub(crate) const NAME: &str = "powercut";
const C_NAME: &CStr = c"powercut";
const SECTOR_BYTES: c_int = 4096;

static DISK: Mutex<Option<Disk>> = Mutex::new(None);

/// Puts a new disk in the machine; registers the VFS at the first call.
pub(crate) fn install(disk: Disk) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    *DISK.lock() = Some(disk);
}

/// Works with the disk.
pub(crate) fn with_disk<V>(work: impl FnOnce(&mut Disk) -> V) -> V {
    let mut disk = DISK.lock();
    work(disk.as_mut().expect("a disk is installed before it is used"))
}

fn disk() -> Option<parking_lot::MappedMutexGuard<'static, Disk>> {
    MutexGuard::try_map(DISK.lock(), Option::as_mut).ok()
}

/// An open file: the platform's own follows in memory.
#[repr(C)]
struct ShimFile {
    base: sqlite3_file,
    name: *mut String,
}

fn register() {
    // SAFETY: the default VFS outlives the process; the copy and its size belong to us for ever.
    unsafe {
        let platform = ffi::sqlite3_vfs_find(ptr::null());
        assert!(!platform.is_null(), "SQLite has a default VFS");
        let mut vfs = *platform;
        vfs.pNext = ptr::null_mut();
        vfs.zName = C_NAME.as_ptr();
        vfs.szOsFile += c_int::try_from(size_of::<ShimFile>()).expect("a small struct");
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        vfs.xAccess = Some(access);
        let code = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0);
        assert_eq!(code, SQLITE_OK, "the VFS is registered");
    }
}

fn platform() -> *mut sqlite3_vfs {
    // SAFETY: looks up a registered VFS; ours was not registered as the default.
    unsafe { ffi::sqlite3_vfs_find(ptr::null()) }
}

/// The platform's file behind ours.
///
/// # Safety
/// `file` is one that `open` has filled.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite allocated szOsFile bytes: ours, then the platform's.
    unsafe { file.cast::<ShimFile>().add(1).cast() }
}

/// # Safety
/// As for `real`.
unsafe fn name_of<'a>(file: *mut sqlite3_file) -> &'a str {
    // SAFETY: `open` leaked the name, `close` takes it back.
    unsafe { &*(*file.cast::<ShimFile>()).name }
}

unsafe fn text(name: *const c_char) -> String {
    // SAFETY: SQLite passes names with a terminating zero.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

fn offset(at: sqlite3_int64) -> usize {
    usize::try_from(at).expect("offsets are not negative")
}

fn count(bytes: c_int) -> usize {
    usize::try_from(bytes).expect("counts are not negative")
}

fn code(done: Option<Result<(), PowerOff>>, failure: c_int) -> c_int {
    if matches!(done, Some(Ok(()))) { SQLITE_OK } else { failure }
}

unsafe extern "C" fn open(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's contract of xOpen: `file` has szOsFile bytes, `name` may be null.
    unsafe {
        let shim = file.cast::<ShimFile>();
        (*shim).base.pMethods = ptr::null();
        let key = if name.is_null() { format!("temporary {file:p}") } else { text(name) };
        if !matches!(disk().map(|mut disk| disk.open(&key)), Some(Ok(()))) {
            return SQLITE_CANTOPEN;
        }
        let platform = platform();
        let open = (*platform).xOpen.expect("every VFS opens");
        let code = open(platform, name, real(file), flags, out_flags);
        if code == SQLITE_OK {
            (*shim).name = Box::into_raw(Box::new(key));
            (*shim).base.pMethods = &raw const METHODS;
        }
        code
    }
}

unsafe extern "C" fn delete(_vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite's contract of xDelete.
    unsafe {
        if let Some(mut disk) = disk() {
            if !disk.is_powered() {
                return SQLITE_IOERR_WRITE;
            }
            disk.delete(&text(name));
        }
        let platform = platform();
        (*platform).xDelete.expect("every VFS deletes")(platform, name, sync)
    }
}

unsafe extern "C" fn access(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's contract of xAccess.
    unsafe {
        if flags == SQLITE_ACCESS_EXISTS {
            *out = c_int::from(disk().is_some_and(|disk| disk.len(&text(name)) > 0));
            return SQLITE_OK;
        }
        let platform = platform();
        (*platform).xAccess.expect("every VFS looks")(platform, name, flags, out)
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes each file once; the name came from a box.
    unsafe {
        drop(Box::from_raw((*file.cast::<ShimFile>()).name));
        forward!(file, xClose)
    }
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    out: *mut c_void,
    bytes: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: `out` has `bytes` bytes.
    let (out, name) =
        unsafe { (slice::from_raw_parts_mut(out.cast::<u8>(), count(bytes)), name_of(file)) };
    match disk().map(|disk| disk.read(name, offset(at), out)) {
        Some(Ok(found)) if found == out.len() => SQLITE_OK,
        Some(Ok(_)) => SQLITE_IOERR_SHORT_READ,
        _ => SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: `bytes` has `len` bytes.
    let (bytes, name) =
        unsafe { (slice::from_raw_parts(bytes.cast::<u8>(), count(len)), name_of(file)) };
    code(disk().map(|mut disk| disk.write(name, offset(at), bytes)), SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a file that is open.
    let name = unsafe { name_of(file) };
    code(disk().map(|mut disk| disk.truncate(name, offset(len))), SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite passes a file that is open.
    let name = unsafe { name_of(file) };
    code(disk().map(|mut disk| disk.sync(name)), SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes a file that is open and room for the answer.
    unsafe {
        let len = disk().map_or(0, |disk| disk.len(name_of(file)));
        *out = sqlite3_int64::try_from(len).expect("files in memory are small");
    }
    SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut sqlite3_file,
    _op: c_int,
    _value: *mut c_void,
) -> c_int {
    SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    SECTOR_BYTES
}

unsafe extern "C" fn device(_file: *mut sqlite3_file) -> c_int {
    SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

macro_rules! forwarding {
    ($($name:ident => $method:ident($($argument:ident: $kind:ty),*) $(-> $out:ty)?;)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) $(-> $out)? {
            // SAFETY: the arguments are SQLite's, the file is the platform's.
            unsafe { forward!(file, $method $(, $argument)*) }
        }
    )*};
}

forwarding! {
    lock => xLock(level: c_int) -> c_int;
    unlock => xUnlock(level: c_int) -> c_int;
    check_reserved_lock => xCheckReservedLock(out: *mut c_int) -> c_int;
    shm_map => xShmMap(page: c_int, bytes: c_int, extend: c_int, out: *mut *mut c_void) -> c_int;
    shm_lock => xShmLock(at: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier => xShmBarrier();
    shm_unmap => xShmUnmap(delete: c_int) -> c_int;
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
