#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#endif

/// A file descriptor with one owner, closed when the owner goes.
package struct OwnedDescriptor: ~Copyable, Sendable {
    package let rawValue: Int32

    /// Takes ownership of an open descriptor.
    package init(adopting rawValue: Int32) { self.rawValue = rawValue }

    /// Opens a file, close-on-exec.
    package init(opening path: String, flags: Int32, mode: mode_t = 0o600) throws(SystemFailure) {
        let descriptor = unsafe open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemFailure("open(\(path))") }
        rawValue = descriptor
    }

    deinit { _ = close(rawValue) }

    /// Gives ownership up without closing.
    package consuming func relinquish() -> Int32 {
        let descriptor = rawValue
        discard self
        return descriptor
    }
}
