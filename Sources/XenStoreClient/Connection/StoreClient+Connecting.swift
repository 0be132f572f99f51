import XenCore
public import XenStoreWire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension StoreClient {
    /// Connects as libxenstore does: to what `XENSTORED_PATH` names, or else to the first of the daemon's socket
    /// (below `XENSTORED_RUNDIR`, or `/var/run/xenstored`), `/dev/xen/xenbus` and `/proc/xen/xenbus` that is there.
    /// Reconnects to the same one.
    ///
    /// Throws `.unavailable`, saying what was tried and what to do.
    public static func connect(requestTimeout: Duration = .seconds(5)) throws(StoreError)
        -> StoreClient
    {
        try connect(path: StoreLocation.find(), requestTimeout: requestTimeout)
    }

    /// Connects to a server's unix socket, or to the kernel's xenbus device, and again whenever that is lost.
    ///
    /// Throws `.unavailable`, saying what is wrong with the path and what to do.
    public static func connect(
        path: String, requestTimeout: Duration = .seconds(5)
    ) throws(StoreError) -> StoreClient {
        try StoreClient(
            reconnecting: DescriptorConnector(path: path), requestTimeout: requestTimeout)
    }
}

/// Where libxenstore looks for a server (`xs_open` in tools/libs/store/xs.c).
enum StoreLocation {
    /// Throws `.unavailable`, saying what was tried and what to do.
    ///
    /// - Parameters:
    ///   - environment: a variable's value; nil when it is not set.
    ///   - exists: whether there is anything at a path.
    static func find(
        environment: (String) -> String? = Self.environment,
        exists: (String) -> Bool = { DescriptorConnector.kind(of: $0) != nil }
    ) throws(StoreError) -> String {
        if let path = environment("XENSTORED_PATH") { return path }
        let socket = (environment("XENSTORED_RUNDIR") ?? "/var/run/xenstored") + "/socket"
        let candidates = [socket, "/dev/xen/xenbus", "/proc/xen/xenbus"]
        for path in candidates where exists(path) { return path }
        throw StoreError(
            .unavailable,
            "no xenstore here: none of \(candidates.joined(separator: ", ")) exists; "
                + "run in a Xen domain, start xenstored, or set XENSTORED_PATH to a server's socket"
        )
    }

    private static func environment(_ name: String) -> String? {
        // Safe: the C string is copied at once, and nothing here changes the environment.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
