import XenCore
import XenStoreWire
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opens a server's unix socket, or the kernel's xenbus device.
struct DescriptorConnector: StoreConnector {
    let path: String

    /// Throws `.unavailable`, saying what is wrong with the path and what to do; `EAGAIN` when the server has not taken
    /// as many connections as it lets wait. Does not block.
    func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport {
        guard !Self.isPlainFile(path) else {
            throw StoreError(
                .unavailable,
                "cannot reach the store at \(path): it is a plain file, neither a server's socket nor Xen's device"
            )
        }
        let kind = Self.kind(of: path) ?? .socket
        return try DescriptorTransport(try open(kind), kind, name: path)
    }

    private func open(_ kind: DescriptorTransport.Kind) throws(StoreError) -> OwnedDescriptor {
        do throws(SystemFailure) {
            return switch kind {
            case .socket: try UnixSocket.connect(to: path)
            case .device: try OwnedDescriptor(opening: path, flags: O_RDWR | O_NONBLOCK)
            }
        } catch {
            throw StoreError(
                .unavailable, name: StoreErrorName(error.errorNumber),
                "cannot reach the store at \(path): \(Self.advice(error))")
        }
    }

    /// Nil when there is nothing at the path.
    static func kind(of path: String) -> DescriptorTransport.Kind? {
        var status = stat()
        // Safe: the private structure that stat(2) fills.
        guard unsafe stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFSOCK ? .socket : .device
    }

    /// Whether requests would overwrite somebody's data. Below /proc the xenbus device looks like a file.
    private static func isPlainFile(_ path: String) -> Bool {
        var status = stat()
        // Safe: as above.
        guard unsafe stat(path, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFREG && !path.hasPrefix("/proc/")
    }

    private static func advice(_ failure: SystemFailure) -> String {
        switch failure.errorNumber {
        case .accessDenied, .notPermitted: "no permission to open it; run as root"
        case .noEntry: "it does not exist; is the server running?"
        case .connectionRefused: "nobody listens there; start the server"
        case .again: "its queue of new connections is full; is the server alive?"
        case .noDevice: "the device has no driver; is this a Xen domain?"
        default: "\(failure)"
        }
    }
}
