import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that names this process for as long as it serves.
struct PIDFile {
    private let path: String

    /// Writes the file, over one that a dead process left. No symbolic link is followed.
    init(_ path: String) throws(ToolFailure) {
        self.path = path
        do throws(SystemFailure) {
            // Safe: the path is a C string for the call.
            let raw = unsafe open(
                path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard raw >= 0 else { throw SystemFailure("open") }
            let file = OwnedDescriptor(adopting: raw)
            _ = try file.writeMessage(Array("\(getpid())\n".utf8))
        } catch {
            throw ToolFailure(
                .cannotServe, "cannot write the pid file \(path): \(error.errorNumber)")
        }
    }

    func remove() { _ = unsafe unlink(path) }
}
