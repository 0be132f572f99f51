import XenCore

extension Request {
    /// Reads a request from its packet, as a server does, in exactly the forms that the C daemon accepts: its numbers
    /// are C's, and where it counts NULs, what follows the last one does not matter.
    ///
    /// Throws the name that belongs into the ERROR reply: `ENOSYS` for an operation that nobody may ask for,
    /// `EINVAL` for a payload of the wrong form.
    public init(decoding operation: StoreOperation, payload: [UInt8]) throws(StoreErrorName) {
        self = try RequestDecoder(payload: payload).decode(operation)
    }
}

/// One payload on its way to a `Request`.
private struct RequestDecoder {
    let payload: [UInt8]

    func decode(_ operation: StoreOperation) throws(StoreErrorName) -> Request {
        switch operation {
        case .control: .control(try control())
        case .directory: .directory(try onePath())
        case .read: .read(try onePath())
        case .getPermissions: .getPermissions(try onePath())
        case .watch: try watch()
        case .unwatch: try unwatch()
        case .transactionStart: .transactionStart
        case .transactionEnd: try transactionEnd()
        case .introduce: try introduce()
        case .release: .release(try oneDomain())
        case .getDomainPath: .getDomainPath(try oneDomain())
        case .write: try write()
        case .makeDirectory: .makeDirectory(try onePath())
        case .remove: .remove(try onePath())
        case .setPermissions: try setPermissions()
        case .isDomainIntroduced: .isDomainIntroduced(try oneDomain())
        case .resume: .resume(try oneDomain())
        case .setTarget: try setTarget()
        case .resetWatches: .resetWatches
        case .directoryPart: try directoryPart()
        case .getFeature: try getFeature()
        case .setFeature: try setFeature()
        case .getQuota: try getQuota()
        case .setQuota: try setQuota()
        default: throw .notImplemented
        }
    }

    // MARK: - Nodes

    private func onePath() throws(StoreErrorName) -> StorePath {
        // A NUL within is no character of a path.
        let bytes = payload.span
        guard payload.last == 0,
            let path = StorePath(checking: bytes.extracting(droppingLast: 1))
        else { throw .invalid }
        return path
    }

    private func write() throws(StoreErrorName) -> Request {
        var fields = Fields(payload)
        let path = try path(fields.next())
        return .write(path, fields.remainder)
    }

    private func setPermissions() throws(StoreErrorName) -> Request {
        var fields = Fields(payload)
        let path = fields.next()
        var entries: [Permission] = []
        while let field = fields.next() { entries.append(try permission(field)) }
        guard !entries.isEmpty else { throw .invalid }
        return .setPermissions(try self.path(path), entries)
    }

    private func directoryPart() throws(StoreErrorName) -> Request {
        var fields = try fields(2...2)
        let path = try path(fields.next())
        // Below zero it lies behind every list, as a number without a sign.
        return .directoryPart(path, offset: UInt32(bitPattern: try int(fields.next())))
    }

    // MARK: - Watches and transactions

    private func watch() throws(StoreErrorName) -> Request {
        let count = Fields.count(payload)
        var fields = try fields(2...3)
        let path = try path(fields.next())
        let token = try bytes(fields.next())
        guard count == 3 else { return .watch(path, token: token) }
        guard let depth = UInt32(exactly: try int(fields.next())) else { throw .invalid }
        return .watch(path, token: token, depth: depth)
    }

    private func unwatch() throws(StoreErrorName) -> Request {
        var fields = try fields(2...2)
        let path = try path(fields.next())
        return .unwatch(path, token: try bytes(fields.next()))
    }

    private func transactionEnd() throws(StoreErrorName) -> Request {
        switch payload {
        case [UInt8(ascii: "T"), 0]: .transactionEnd(commit: true)
        case [UInt8(ascii: "F"), 0]: .transactionEnd(commit: false)
        default: throw .invalid
        }
    }

    // MARK: - Domains and the daemon

    /// All strings; the daemon looks at no more than its command takes.
    private func control() throws(StoreErrorName) -> [[UInt8]] {
        var fields = try fields(1...Int.max)
        var strings: [[UInt8]] = []
        while let field = fields.next() { strings.append(Array(field)) }
        return strings
    }

    private func introduce() throws(StoreErrorName) -> Request {
        var fields = try fields(3...Int.max)
        let domain = try domain(fields.next())
        // The daemon does not look at the frame any more.
        let frame = LeadingNumber(fields.next() ?? []).long
        let port = try int(fields.next())
        guard port > 0 else { throw .invalid }
        return .introduce(domain, frame: frame, port: EventPort(UInt32(port)))
    }

    private func oneDomain() throws(StoreErrorName) -> DomainID {
        guard payload.firstIndex(of: 0) == payload.count - 1 else { throw .invalid }
        return try domain(payload.dropLast())
    }

    private func setTarget() throws(StoreErrorName) -> Request {
        var fields = try fields(2...Int.max)
        let domain = try domain(fields.next())
        return .setTarget(domain, target: try self.domain(fields.next()))
    }

    private func getFeature() throws(StoreErrorName) -> Request {
        var fields = try fields(0...1)
        guard let field = fields.next() else { return .getFeature(nil) }
        return .getFeature(try domain(field))
    }

    private func setFeature() throws(StoreErrorName) -> Request {
        var fields = try fields(2...2)
        let domain = try domain(fields.next())
        let features = UInt32(bitPattern: try int(fields.next()))
        return .setFeature(domain, ServerFeatures(rawValue: features))
    }

    private func getQuota() throws(StoreErrorName) -> Request {
        let count = Fields.count(payload)
        var fields = try fields(0...2)
        let domain = count == 2 ? try domain(fields.next()) : nil
        return .getQuota(domain, name: fields.next().map { Array($0) })
    }

    private func setQuota() throws(StoreErrorName) -> Request {
        let count = Fields.count(payload)
        var fields = try fields(2...3)
        let domain = count == 3 ? try domain(fields.next()) : nil
        let name = try bytes(fields.next())
        return .setQuota(
            domain, name: name, limit: UInt32(bitPattern: try int(fields.next())))
    }

    // MARK: - Fields

    /// The strings of the payload, if they are as many as that. What follows the last NUL does not matter.
    private func fields(_ count: ClosedRange<Int>) throws(StoreErrorName) -> Fields {
        guard count.contains(Fields.count(payload)) else { throw .invalid }
        return Fields(payload)
    }

    private func bytes(_ field: ArraySlice<UInt8>?) throws(StoreErrorName) -> [UInt8] {
        guard let field else { throw .invalid }
        return Array(field)
    }

    private func path(_ field: ArraySlice<UInt8>?) throws(StoreErrorName) -> StorePath {
        guard let field, let path = StorePath(checking: field.span) else { throw .invalid }
        return path
    }

    /// A number that fills its string, which may be empty: that is domain 0.
    private func domain(_ field: ArraySlice<UInt8>?) throws(StoreErrorName) -> DomainID {
        guard let field else { throw .invalid }
        let number = LeadingNumber(field)
        guard number.rest.isEmpty, let id = UInt16(exactly: number.unsignedLong) else {
            throw .invalid
        }
        return DomainID(id)
    }

    private func int(_ field: ArraySlice<UInt8>?) throws(StoreErrorName) -> Int32 {
        guard let field else { throw .invalid }
        return LeadingNumber(field).int
    }

    /// A letter, and a number in the base that it shows. The daemon takes ids that no domain can have, and then ignores
    /// the entry; here they are refused.
    private func permission(_ field: ArraySlice<UInt8>) throws(StoreErrorName) -> Permission {
        let number = LeadingNumber(field.dropFirst(), base: .shown)
        guard let letter = field.first, let access = Permission.Access(rawValue: letter),
            field.count > 1, number.rest.isEmpty, let id = UInt16(exactly: number.long)
        else { throw .invalid }
        return Permission(access, for: DomainID(id))
    }
}
