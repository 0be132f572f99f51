import Synchronization
public import XenCore
public import XenStoreWire
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A store in this process, which existing tools and clients take for xenstored.
///
///     let server = try StoreServer()
///     try server.listen(path: "/tmp/xenstored.socket")      // XENSTORED_PATH=... xenstore-ls
///     let guest = try server.connect(as: DomainID(3))       // for StoreClient(over:)
///
/// It keeps the tree in memory, and serves all its connections from one thread. Each of them has a budget in each
/// turn, and bounds on what may wait for its reader; who does not read is not listened to.
/// Protocol: docs/misc/xenstore.txt in Xen's source.
public final class StoreServer: Sendable {
    private let loop: ServerLoop
    private let thread: Mutex<PlatformThread?>

    /// Starts an empty store.
    ///
    /// Throws `.unavailable` when the system has no descriptor or thread left, or the guests' events cannot be had.
    /// - Parameters:
    ///   - guests: the way to guests' rings. Without it INTRODUCE makes a domain known, and no more.
    ///   - stallTimeout: how long a client on a socket may take nothing of its replies while so much waits that its
    ///     requests do, before its connection is ended. A guest's ring is never ended for that.
    ///   - onNotice: told what is worth a line in a log. Called on the store's thread, or on that of a call here, and
    ///     must not block.
    public init(
        quota: StoreQuota = StoreQuota(), guests: GuestHost? = nil,
        stallTimeout: Duration = .seconds(60),
        onNotice: @escaping @Sendable (StoreServerNotice) -> Void = { _ in }
    ) throws(StoreError) {
        let loop = try ServerLoop(
            quota: quota, guests: guests, stallTimeout: stallTimeout, onNotice: onNotice)
        self.loop = loop
        do { thread = Mutex(try PlatformThread { loop.run() }) } catch {
            throw StoreError(.unavailable, "the store's thread did not start: \(error)")
        }
    }

    deinit { stop() }

    /// Serves a unix socket, on which every connection is dom0's. Only this user may connect.
    ///
    /// A socket file that a dead server left is replaced. Throws `.unavailable` when another server answers there,
    /// something else has that name, or the folder is missing or not writable.
    public func listen(path: String) throws(StoreError) {
        try Self.removeStaleSocket(path)
        let descriptor: SharedDescriptor
        do { descriptor = SharedDescriptor(try UnixSocket.listen(at: path)) } catch {
            throw StoreError(
                .unavailable, name: StoreErrorName(error.errorNumber),
                "cannot make socket \(path): \(Self.advice(error))")
        }
        try loop.update { state throws(StoreError) in
            do { try state.listen(descriptor, path: path) } catch {
                throw StoreError(.unavailable, "cannot wait for socket \(path): \(error)")
            }
        }
    }

    /// A connection that speaks for `domain`, which becomes known to the store if it is not.
    ///
    /// Throws `.unavailable` once stopped, or when the system has no descriptor left.
    public func connect(as domain: DomainID) throws(StoreError) -> some ByteTransport {
        let ends: (near: Int32, far: Int32)
        do { ends = try UnixSocket.pair().split() } catch {
            throw StoreError(.unavailable, "no descriptor left for a connection: \(error)")
        }
        let near = SharedDescriptor(OwnedDescriptor(adopting: ends.near))
        let transport = try SocketTransport(
            OwnedDescriptor(adopting: ends.far), name: "the store of \(domain)")
        try loop.update { state throws(StoreError) in
            do { try state.connect(near, as: domain) } catch {
                throw StoreError(.unavailable, "no room for a connection: \(error)")
            }
        }
        return transport
    }

    /// Makes a domain known, and tells the watches on `@introduceDomain`. Throws `.unavailable` once stopped.
    public func introduce(_ domain: DomainID) throws(StoreError) {
        try loop.update { $0.core.introduce(domain, &$0.outputs) }
    }

    /// Makes a domain known, and serves its ring, as INTRODUCE does.
    ///
    /// Throws `.unavailable` once stopped, or when the page or port cannot be had. Needs a `GuestHost`.
    /// - Parameters:
    ///   - reference: the grant of its page.
    ///   - port: the domain's, which waits for us.
    public func introduce(
        _ domain: DomainID, reference: GrantReference = StorePage.reference, port: EventPort
    ) throws(StoreError) {
        try loop.update { state throws(StoreError) in
            do throws(RingRefusal) {
                _ = try state.attach(domain, port, reference: reference, state.guestHost)
            } catch {
                throw StoreError(
                    .unavailable, name: error.name, "no ring for \(domain): \(error.reason)")
            }
            state.core.introduce(domain, &state.outputs)
        }
    }

    /// Serves the kernel of the domain that the store runs in, as dom0's xenstored does: its drivers, and whoever opens
    /// /dev/xen/xenbus there. Needs a `GuestHost`.
    ///
    /// Throws `.unavailable` once stopped, where the kernel shows no ring (it does in dom0 alone), or when another store
    /// has it.
    /// - Parameters:
    ///   - page: the file whose first page is the ring's.
    ///   - port: the file that names the kernel's port, in digits.
    /// Source: drivers/xen/xenfs/xenstored.c in Linux.
    public func serveKernel(
        page: String = "/proc/xen/xsd_kva", port: String = "/proc/xen/xsd_port"
    ) throws(StoreError) {
        let kernelPort = try Self.port(in: port)
        let memory: MappedPage
        do { memory = try MappedPage(of: page) } catch {
            throw StoreError(
                .unavailable, name: StoreErrorName(error.errorNumber),
                "no ring of this kernel's: \(error); is this dom0, xenfs mounted, and the user root?"
            )
        }
        try loop.update { state throws(StoreError) in
            do throws(RingRefusal) {
                try state.attachKernel(memory, kernelPort, state.guestHost)
            } catch {
                throw StoreError(
                    .unavailable, name: error.name,
                    "no ring of this kernel's: \(error.reason); is another store running?")
            }
        }
    }

    private static func port(in path: String) throws(StoreError) -> EventPort {
        let text: [UInt8]
        do {
            var buffer = [UInt8](repeating: 0, count: 16)
            let count = try OwnedDescriptor(opening: path, flags: O_RDONLY)
                .readAvailable(into: &buffer)
            text = Array(buffer[..<(count ?? 0)])
        } catch {
            throw StoreError(
                .unavailable, name: StoreErrorName(error.errorNumber),
                "no port of this kernel's: \(error); is this dom0, xenfs mounted, and the user root?"
            )
        }
        let digits = String(decoding: text, as: UTF8.self).prefix { $0.isNumber }
        guard let number = UInt32(digits) else {
            throw StoreError(.unavailable, "no port of this kernel's: \(path) holds no number")
        }
        return EventPort(number)
    }

    /// Forgets a domain that has gone, as xenstored does when Xen tells it: its connections end, its nodes and its
    /// permissions elsewhere are removed, `@releaseDomain` is told. Throws `.unavailable` once stopped.
    public func release(_ domain: DomainID) throws(StoreError) {
        try loop.update { $0.core.release(domain, &$0.outputs) }
    }

    /// What every connection has at this moment. Costs a look at each.
    public var connections: [StoreServerConnection] {
        (try? loop.update { $0.report }) ?? []
    }

    /// Ends every connection as a restart would: clients on sockets see the end, guests lose watches and transactions.
    /// For tests of clients. Throws `.unavailable` once stopped.
    public func disconnectAll() throws(StoreError) {
        try loop.update { $0.disconnectAll() }
    }

    /// Ends every connection, removes the socket files, and blocks until the thread has ended. Not from that thread.
    public func stop() {
        loop.stop()
        thread.withLock { $0.take() }?.join()
    }

    private static func removeStaleSocket(_ path: String) throws(StoreError) {
        do throws(SystemFailure) {
            _ = try UnixSocket.connect(to: path)
            throw SystemFailure("connect", .addressInUse)
        } catch {
            switch error.errorNumber {
            case .noEntry: return
            case .connectionRefused where isSocket(path): _ = unsafe unlink(path)
            default:
                throw StoreError(
                    .unavailable, name: StoreErrorName(error.errorNumber),
                    "cannot make socket \(path): \(advice(error))")
            }
        }
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        // Safe: the private structure that lstat(2) fills.
        guard unsafe lstat(path, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func advice(_ failure: SystemFailure) -> String {
        switch failure.errorNumber {
        case .addressInUse: "another server is listening there; stop it, or choose another path"
        case .connectionRefused:
            "a file that is no socket has that name; remove it, or choose another path"
        case .noEntry: "its folder does not exist; make it"
        case .accessDenied: "no permission; run as root, or choose a folder of your own"
        default: "\(failure)"
        }
    }
}
