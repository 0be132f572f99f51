import XenCore
public import XenStoreWire
import XenSystem

extension StoreClient {
    /// Connects as libxenstore does: to what `XENSTORED_PATH` names, or else to the first of the daemon's socket
    /// (below `XENSTORED_RUNDIR`, or `/var/run/xenstored`), `/dev/xen/xenbus` and `/proc/xen/xenbus` that is there and
    /// takes the connection. Reconnects to the same one.
    ///
    /// Throws `.unavailable`, saying what was tried and what to do.
    public static func connect(requestTimeout: Duration = .seconds(5)) throws(StoreError)
        -> StoreClient
    {
        try StoreLocation.connect { path throws(StoreError) in
            try connect(path: path, requestTimeout: requestTimeout)
        }
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
    /// Connects to the first that is there and can be connected to.
    ///
    /// Throws `.unavailable`, saying what was tried and what to do, or why the first that is there cannot be had.
    /// - Parameters:
    ///   - environment: a variable's value; nil when it is not set.
    ///   - exists: whether there is anything at a path.
    static func connect<Client>(
        environment: (String) -> String? = XenSystem.environment,
        exists: (String) -> Bool = { DescriptorConnector.kind(of: $0) != nil },
        to path: (String) throws(StoreError) -> Client
    ) throws(StoreError) -> Client {
        if let named = environment("XENSTORED_PATH") { return try path(named) }
        let socket = (environment("XENSTORED_RUNDIR") ?? "/var/run/xenstored") + "/socket"
        let candidates = [socket, "/dev/xen/xenbus", "/proc/xen/xenbus"]
        var failure: StoreError?
        for candidate in candidates where exists(candidate) {
            do { return try path(candidate) } catch { failure = failure ?? error }
        }
        throw failure
            ?? StoreError(
                .unavailable,
                "no xenstore here: none of \(candidates.joined(separator: ", ")) exists; run in a Xen domain, "
                    + "start xenstored, or set XENSTORED_PATH to a server's socket")
    }
}
