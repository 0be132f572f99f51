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
        switch Self.kind(of: path) {
        case .plainFile:
            throw StoreError(
                .unavailable,
                "cannot reach the store at \(path): it is a plain file, neither a server's socket nor Xen's device"
            )
        case .device: try DeviceTransport(try openDevice(), name: path)
        case .socket, nil: try SocketTransport(try openSocket(), name: path)
        }
    }

    private func openDevice() throws(StoreError) -> OwnedDescriptor {
        do { return try OwnedDescriptor(opening: path, flags: O_RDWR | O_NONBLOCK) } catch {
            throw unreachable(error)
        }
    }

    private func openSocket() throws(StoreError) -> OwnedDescriptor {
        do { return try UnixSocket.connect(to: path) } catch { throw unreachable(error) }
    }

    private func unreachable(_ failure: SystemFailure) -> StoreError {
        StoreError(
            .unavailable, name: StoreErrorName(failure.errorNumber),
            "cannot reach the store at \(path): \(Self.advice(failure))")
    }

    /// What a path may lead to.
    enum Kind {
        case socket
        case device
        /// Requests would overwrite somebody's data.
        case plainFile
    }

    /// Nil when there is nothing at the path.
    static func kind(of path: String) -> Kind? {
        var status = stat()
        // Safe: the private structure that stat(2) fills.
        guard unsafe stat(path, &status) == 0 else { return nil }
        return switch status.st_mode & S_IFMT {
        case S_IFSOCK: .socket
        // Below /proc the xenbus device looks like a file.
        case S_IFREG where !path.hasPrefix("/proc/"): .plainFile
        default: .device
        }
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
