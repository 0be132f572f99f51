import XenCore
import XenStoreWire

/// A stream of packets, in pieces: however it is cut, the packets are the same, and each is its bytes again.
func fuzzPackets(_ input: FuzzInput) {
    let pieces = (0..<input.choice(below: 16)).map { _ in 1 + input.choice(below: 40) }
    let stream = input.rest()
    var (whole, cut) = (PacketParser(), PacketParser())
    whole.append(stream)
    let expected = packets(&whole)
    var found: [Packet] = []
    var rest = stream[...]
    var pieceCount = 0
    while !rest.isEmpty {
        let piece = rest.prefix(pieces.isEmpty ? 1 : pieces[pieceCount % pieces.count])
        pieceCount += 1
        rest = rest.dropFirst(piece.count)
        cut.append(piece)
        found += packets(&cut)
    }
    require(found == expected, "a stream in pieces has other packets")
    require(whole.isClosed == cut.isClosed, "a stream in pieces ends otherwise")
    require(whole.pendingByteCount == cut.pendingByteCount, "another number of bytes waits")
    let again = expected.flatMap(\.bytes)
    require(stream.starts(with: again), "packets are not the bytes that they came from")
    if !whole.isClosed {
        require(again.count + whole.pendingByteCount == stream.count, "bytes went missing")
    }
}

/// What a parser has, until it wants more or the stream is broken: then it stays so.
private func packets(_ parser: inout PacketParser) -> [Packet] {
    var packets: [Packet] = []
    do throws(StoreError) {
        while let packet = try parser.next() { packets.append(packet) }
    } catch {
        require(parser.isClosed && error.code == .protocolViolation, "closed for no reason")
        do throws(StoreError) {
            _ = try parser.next()
            require(false, "a broken stream went on")
        } catch let second { require(second == error, "another error than the first") }
    }
    return packets
}

/// A request's payload: what is read from it, and written again, reads as the same.
func fuzzRequest(_ input: FuzzInput) {
    let operation = StoreOperation(rawValue: UInt32(input.choice(below: 32)))
    let payload = input.rest()
    guard let request = try? Request(decoding: operation, payload: payload) else { return }
    require(request.operation == operation, "\(operation) was read as \(request.operation)")
    let canonical = request.payload
    require(
        (try? Request(decoding: operation, payload: canonical)) == request,
        "\(operation) is not read as it is written")
    require(
        request.payloadByteCount == canonical.count,
        "\(operation) has \(canonical.count) bytes, and says \(request.payloadByteCount)")
}

/// A reply's payload, read as each kind of reply.
func fuzzReplies(_ input: FuzzInput) {
    let payload = input.rest()
    if let names = try? Reply.names(payload) {
        require(Fields.encode(names) == payload, "a list of names is not its bytes")
    }
    if let entries = try? Reply.permissions(payload) {
        require(!entries.isEmpty, "permissions without an owner")
        let written = Fields.encode(entries.map(\.bytes))
        require((try? Reply.permissions(written)) == entries, "permissions are read otherwise")
    }
    if let part = try? Reply.part(payload) {
        require((try? Reply.part(part.payload)) == part, "a part is read otherwise")
        require(part.listByteCount <= payload.count, "a part covers more than it has")
    }
    if let (path, token) = try? Reply.event(payload) {
        let again = try? Reply.event(Fields.encode([path.bytes, token]))
        require(again?.path == path && again?.token == token, "an event is read otherwise")
    }
    if let id = try? Reply.transaction(payload) {
        let written = Fields.encode([decimal(id.rawValue)])
        require(id != .none && (try? Reply.transaction(written)) == id, "another transaction")
    }
    if let path = try? Reply.path(payload) {
        require((try? Reply.path(path.bytes + [0])) == path, "a path is read otherwise")
    }
    if let domain = try? Reply.domain(payload) {
        require((try? Reply.domain(decimal(domain.rawValue))) == domain, "another domain")
    }
    _ = try? Reply.boolean(payload)
}

/// A path: what it is made of makes it again.
func fuzzPath(_ input: FuzzInput) {
    let other = try? StorePath(bytes: input.bytes(input.choice(below: 64)))
    let bytes = input.rest()
    guard let path = try? StorePath(bytes: bytes) else { return }
    require(path.bytes == bytes, "another path than it was")
    let names = path.components.joined(separator: [UInt8(ascii: "/")])
    require(Array(names) == (path.isAbsolute ? Array(bytes.dropFirst()) : bytes), "other names")
    require(path.isWithin(path) && (!path.isAbsolute || path.isWithin(.root)), "not within itself")
    if let parent = path.parent {
        require(path.isWithin(parent) && !parent.isWithin(path), "not within its parent")
        let name = path.relative(to: parent)
        require(name.map { $0.bytes == Array(path.name) } ?? false, "relative to its parent")
        // A name that begins with '@' is none that can follow.
        if let name, !name.isSpecial {
            require((try? parent.appending(name)) == path, "parent and name make another path")
        }
    }
    if let other, let below = try? path.appending(other) {
        require(below.isWithin(path), "appended, and not within")
        require(below.relative(to: path) == other, "appended, and another")
    }
}

/// Permissions and the names of errors, one at a time.
func fuzzWords(_ input: FuzzInput) {
    let bytes = input.rest()
    if let entry = Permission(bytes: bytes[...]) {
        require(Permission(bytes: entry.bytes[...]) == entry, "another permission")
    }
    let name = StoreErrorName(payload: bytes)
    require(StoreErrorName(payload: name.payload) == name, "another name of an error")
}
