import XenCore

extension Request {
    /// Reads a request from its packet, as a server does.
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
        case .control: .control(try strings(1...Int.max).map { Array($0) })
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
        case .getFeature: .getFeature(try strings(0...1).first.map(domain))
        case .setFeature: try setFeature()
        case .getQuota: try getQuota()
        case .setQuota: try setQuota()
        default: throw .notImplemented
        }
    }

    private func watch() throws(StoreErrorName) -> Request {
        let fields = try leadingStrings(2...3)
        return .watch(
            try path(fields[0]), token: Array(fields[1]),
            depth: fields.count == 3 ? try number(fields[2]) : nil)
    }

    private func unwatch() throws(StoreErrorName) -> Request {
        let fields = try leadingStrings(2...2)
        return .unwatch(try path(fields[0]), token: Array(fields[1]))
    }

    private func transactionEnd() throws(StoreErrorName) -> Request {
        switch payload {
        case [UInt8(ascii: "T"), 0]: .transactionEnd(commit: true)
        case [UInt8(ascii: "F"), 0]: .transactionEnd(commit: false)
        default: throw .invalid
        }
    }

    private func introduce() throws(StoreErrorName) -> Request {
        let fields = try leadingStrings(3...Int.max)
        let isNegative = fields[1].first == UInt8(ascii: "-")
        let magnitude: Int64 = try number(isNegative ? fields[1].dropFirst() : fields[1])
        return .introduce(
            try domain(fields[0]), frame: isNegative ? -magnitude : magnitude,
            port: EventPort(rawValue: try number(fields[2])))
    }

    private func write() throws(StoreErrorName) -> Request {
        var fields = Fields(payload)
        guard let first = fields.next() else { throw .invalid }
        return .write(try path(first), fields.remainder)
    }

    private func setPermissions() throws(StoreErrorName) -> Request {
        let fields = try strings(2...Int.max)
        var entries: [Permission] = []
        for field in fields.dropFirst() {
            guard let entry = Permission(bytes: field) else { throw .invalid }
            entries.append(entry)
        }
        return .setPermissions(try path(fields[0]), entries)
    }

    private func setTarget() throws(StoreErrorName) -> Request {
        let fields = try leadingStrings(2...Int.max)
        return .setTarget(try domain(fields[0]), target: try domain(fields[1]))
    }

    private func directoryPart() throws(StoreErrorName) -> Request {
        let fields = try strings(2...2)
        return .directoryPart(try path(fields[0]), offset: try number(fields[1]))
    }

    private func setFeature() throws(StoreErrorName) -> Request {
        let fields = try strings(2...2)
        return .setFeature(try domain(fields[0]), ServerFeatures(rawValue: try number(fields[1])))
    }

    private func getQuota() throws(StoreErrorName) -> Request {
        let fields = try strings(0...2)
        return .getQuota(
            fields.count == 2 ? try domain(fields[0]) : nil, name: fields.last.map { Array($0) })
    }

    private func setQuota() throws(StoreErrorName) -> Request {
        let fields = try strings(2...3)
        return .setQuota(
            fields.count == 3 ? try domain(fields[0]) : nil, name: Array(fields[fields.count - 2]),
            limit: try number(fields[fields.count - 1]))
    }

    /// The one string that the payload consists of.
    private func oneString() throws(StoreErrorName) -> ArraySlice<UInt8> { try strings(1...1)[0] }

    private func onePath() throws(StoreErrorName) -> StorePath { try path(try oneString()) }

    private func oneDomain() throws(StoreErrorName) -> DomainID { try domain(try oneString()) }

    /// The strings that the payload consists of, nothing after the last NUL.
    private func strings(_ count: ClosedRange<Int>) throws(StoreErrorName) -> [ArraySlice<UInt8>] {
        guard let fields = Fields.all(payload), count.contains(fields.count) else { throw .invalid }
        return fields
    }

    /// The strings at the start of the payload; what follows the last NUL does not matter.
    private func leadingStrings(
        _ count: ClosedRange<Int>
    ) throws(StoreErrorName) -> [ArraySlice<UInt8>] {
        var fields = Fields(payload)
        var strings: [ArraySlice<UInt8>] = []
        while let field = fields.next() { strings.append(field) }
        guard count.contains(strings.count) else { throw .invalid }
        return strings
    }

    private func path(_ field: ArraySlice<UInt8>) throws(StoreErrorName) -> StorePath {
        do { return try StorePath(bytes: Array(field)) } catch { throw .invalid }
    }

    private func domain(_ field: ArraySlice<UInt8>) throws(StoreErrorName) -> DomainID {
        DomainID(try number(field))
    }

    private func number<Number: FixedWidthInteger>(
        _ field: ArraySlice<UInt8>
    ) throws(StoreErrorName) -> Number {
        guard let value = Number(decimal: field) else { throw .invalid }
        return value
    }
}
