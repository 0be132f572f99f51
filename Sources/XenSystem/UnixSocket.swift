import CSystem
package import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Unix stream sockets. Every descriptor made here is non-blocking.
package enum UnixSocket {
    /// Connects to a listening socket.
    package static func connect(to path: String) throws(SystemFailure) -> OwnedDescriptor {
        try adopt(unsafe csystem_unix_connect(path), "connect(\(path))")
    }

    /// Makes a listening socket at `path`, which must not exist yet; only its owner may connect.
    package static func listen(at path: String) throws(SystemFailure) -> OwnedDescriptor {
        try adopt(unsafe csystem_unix_listen(path), "listen(\(path))")
    }

    /// Takes one waiting connection, or throws `.again` when there is none.
    package static func accept(
        from listener: borrowing OwnedDescriptor
    ) throws(SystemFailure) -> OwnedDescriptor {
        try adopt(csystem_unix_accept(listener.rawValue), "accept")
    }

    /// Both ends of a new connection.
    package static func pair() throws(SystemFailure) -> SocketPair {
        var ends: [Int32] = [-1, -1]
        // Safe: the two private integers that the call fills.
        guard unsafe csystem_unix_pair(&ends) == 0 else { throw SystemFailure("socketpair") }
        return SocketPair(
            near: OwnedDescriptor(adopting: ends[0]), far: OwnedDescriptor(adopting: ends[1]))
    }

    private static func adopt(
        _ raw: Int32, _ call: @autoclosure () -> String
    ) throws(SystemFailure) -> OwnedDescriptor {
        guard raw >= 0 else {
            let error = ErrorNumber.current
            throw SystemFailure(call(), error)
        }
        return OwnedDescriptor(adopting: raw)
    }
}

/// The two ends of a connection within this process.
package struct SocketPair: ~Copyable {
    let near: OwnedDescriptor
    let far: OwnedDescriptor

    /// Gives both descriptors up, for two owners to adopt.
    package consuming func split() -> (near: Int32, far: Int32) {
        (near.relinquish(), far.relinquish())
    }
}

extension OwnedDescriptor {
    /// Reads what there is, at most `buffer.count` bytes; 0 at the end, nil when there is nothing now.
    package func readAvailable(into buffer: inout [UInt8]) throws(SystemFailure) -> Int? {
        // Safe: the kernel writes within the buffer's own count.
        let count = unsafe read(rawValue, &buffer, buffer.count)
        return try transferred(count, "read")
    }

    /// Writes what fits now of `bytes` from `offset`; nil when nothing does. No signal when the peer has gone.
    package func sendAvailable(_ bytes: [UInt8], from offset: Int) throws(SystemFailure) -> Int? {
        let count = unsafe bytes.withUnsafeBytes { raw in
            // Safe: reads within `bytes`, from an offset that the rebasing checks.
            let rest = unsafe UnsafeRawBufferPointer(rebasing: raw[offset...])
            return unsafe send(
                rawValue, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        return try transferred(count, "send")
    }

    /// Receives what there is on a socket, blocking or not; 0 at the end, nil when there is nothing now.
    package func receiveAvailable(
        into buffer: inout [UInt8]
    ) throws(SystemFailure) -> Int? {
        // Safe: the kernel writes within the buffer's own count.
        let count = unsafe recv(rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return try transferred(count, "recv")
    }

    /// Blocks until there is something on a blocking socket, for its receive timeout at most; then as `receiveAvailable`.
    package func receive(into buffer: inout [UInt8]) throws(SystemFailure) -> Int? {
        // Safe: as above.
        let count = unsafe recv(rawValue, &buffer, buffer.count, 0)
        return try transferred(count, "recv")
    }

    /// Makes a socket one on which `receive` blocks, for so long at most.
    package func setReceiveTimeout(milliseconds: Int) throws(SystemFailure) {
        var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        // Safe: the call copies the private structure, of which the size is given.
        let status = unsafe setsockopt(
            rawValue, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        guard status == 0 else { throw SystemFailure("setsockopt") }
        let flags = fcntl(rawValue, F_GETFL)
        guard flags >= 0, fcntl(rawValue, F_SETFL, flags & ~O_NONBLOCK) == 0 else {
            throw SystemFailure("fcntl")
        }
    }

    /// Writes all of `bytes` in one system call, as message devices ask. May block.
    package func writeMessage(_ bytes: [UInt8]) throws(SystemFailure) -> Int {
        while true {
            // Safe: reads within the array's own count.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe write(rawValue, $0.baseAddress, $0.count)
            }
            guard count < 0 else { return count }
            let failure = SystemFailure("write")
            guard failure.errorNumber == .interrupted else { throw failure }
        }
    }

    /// Ends a socket's both directions, which its other end sees. The descriptor stays open.
    package func shutDown() { _ = shutdown(rawValue, Int32(SHUT_RDWR)) }

    private func transferred(_ count: Int, _ call: String) throws(SystemFailure) -> Int? {
        guard count < 0 else { return count }
        let failure = SystemFailure(call)
        guard failure.errorNumber == .again || failure.errorNumber == .interrupted else {
            throw failure
        }
        return nil
    }
}

extension ErrorNumber {
    package static let addressInUse = ErrorNumber(rawValue: EADDRINUSE)
    package static let connectionRefused = ErrorNumber(rawValue: ECONNREFUSED)
}
