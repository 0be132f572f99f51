import XenCore
public import XenStoreWire
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension StoreClient {
    /// Connects as libxenstore does: to what `XENSTORED_PATH` names, or else to the first of the daemon's socket
    /// (below `XENSTORED_RUNDIR`, or `/var/run/xenstored`), `/dev/xen/xenbus` and `/proc/xen/xenbus` that is there.
    ///
    /// Throws `.unavailable`, saying what was tried and what to do.
    public static func connect(requestTimeout: Duration = .seconds(5)) throws(StoreError)
        -> StoreClient
    {
        if let path = environment("XENSTORED_PATH") {
            return try connect(path: path, requestTimeout: requestTimeout)
        }
        let socket = (environment("XENSTORED_RUNDIR") ?? "/var/run/xenstored") + "/socket"
        let candidates = [socket, "/dev/xen/xenbus", "/proc/xen/xenbus"]
        for path in candidates where kind(of: path) != nil {
            return try connect(path: path, requestTimeout: requestTimeout)
        }
        throw StoreError(
            .unavailable,
            "no xenstore here: none of \(candidates.joined(separator: ", ")) exists; "
                + "run in a Xen domain, start xenstored, or set XENSTORED_PATH to a server's socket"
        )
    }

    /// Connects to a server's unix socket, or to the kernel's xenbus device.
    ///
    /// Throws `.unavailable`, saying what is wrong with the path and what to do.
    public static func connect(
        path: String, requestTimeout: Duration = .seconds(5)
    ) throws(StoreError) -> StoreClient {
        guard !isPlainFile(path) else {
            throw StoreError(
                .unavailable,
                "cannot reach the store at \(path): it is a plain file, neither a server's socket nor Xen's device"
            )
        }
        let kind = kind(of: path) ?? .socket
        let transport = try DescriptorTransport(try open(path, kind), kind, name: path)
        return try StoreClient(over: transport, requestTimeout: requestTimeout)
    }

    private static func open(
        _ path: String, _ kind: DescriptorTransport.Kind
    ) throws(StoreError) -> OwnedDescriptor {
        do throws(SystemFailure) {
            return switch kind {
            case .socket: try UnixSocket.connect(to: path)
            case .device: try OwnedDescriptor(opening: path, flags: O_RDWR | O_NONBLOCK)
            }
        } catch {
            throw StoreError(
                .unavailable, name: StoreErrorName(error.errorNumber),
                "cannot reach the store at \(path): \(advice(error))")
        }
    }

    private static func environment(_ name: String) -> String? {
        // Safe: the C string is copied at once, and nothing here changes the environment.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// Nil when there is nothing at the path.
    private static func kind(of path: String) -> DescriptorTransport.Kind? {
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
        case .noDevice: "the device has no driver; is this a Xen domain?"
        default: "\(failure)"
        }
    }
}
