import XenCore

extension Request {
    /// The payload as it travels. May be longer than a packet takes: `Packet` checks.
    public var payload: [UInt8] {
        var payload: [UInt8] = []
        appendPayload(to: &payload)
        return payload
    }

    /// Adds the payload as it travels to what goes before it.
    package func appendPayload(to bytes: inout [UInt8]) {
        switch self {
        case .directory(let path), .read(let path), .getPermissions(let path),
            .makeDirectory(let path), .remove(let path):
            bytes += path.bytes
            bytes.append(0)
        case .write(let path, let value):
            bytes += path.bytes
            bytes.append(0)
            bytes += value
        case .transactionStart, .resetWatches: bytes.append(0)
        case .transactionEnd(let commit):
            bytes.append(commit ? UInt8(ascii: "T") : UInt8(ascii: "F"))
            bytes.append(0)
        default: bytes += Fields.encode(arguments)
        }
    }

    /// How many bytes the payload has.
    package var payloadByteCount: Int {
        switch self {
        case .directory(let path), .read(let path), .getPermissions(let path),
            .makeDirectory(let path), .remove(let path):
            path.bytes.count + 1
        case .write(let path, let value): path.bytes.count + 1 + value.count
        default: payload.count
        }
    }

    /// The strings of a payload that consists of nothing else.
    private var arguments: [[UInt8]] {
        switch self {
        case .control(let arguments): arguments
        case .watch(let path, let token, let depth):
            [path.bytes, token] + (depth.map { [decimal($0)] } ?? [])
        case .unwatch(let path, let token): [path.bytes, token]
        case .introduce(let domain, let frame, let port):
            [decimal(domain.rawValue), decimal(frame), decimal(port.rawValue)]
        case .release(let domain), .getDomainPath(let domain), .isDomainIntroduced(let domain),
            .resume(let domain):
            [decimal(domain.rawValue)]
        case .setPermissions(let path, let entries): [path.bytes] + entries.map(\.bytes)
        case .setTarget(let domain, let target):
            [decimal(domain.rawValue), decimal(target.rawValue)]
        case .directoryPart(let path, let offset): [path.bytes, decimal(offset)]
        case .getFeature(let domain): Self.optional(domain)
        case .setFeature(let domain, let features):
            [decimal(domain.rawValue), decimal(features.rawValue)]
        case .getQuota(let domain, let name): Self.optional(domain) + (name.map { [$0] } ?? [])
        case .setQuota(let domain, let name, let limit):
            Self.optional(domain) + [name, decimal(limit)]
        case .directory, .read, .getPermissions, .write, .makeDirectory, .remove,
            .transactionStart, .transactionEnd, .resetWatches:
            []
        }
    }

    private static func optional(_ domain: DomainID?) -> [[UInt8]] {
        domain.map { [decimal($0.rawValue)] } ?? []
    }
}
