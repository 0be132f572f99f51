import Synchronization
import XenCore
import XenGrant
import XenTesting

/// A party's grants and memory, by the names that the other end has for them.
///
/// A name stays when what it meant is gone, so that whoever unmaps twice is told so by the back end.
final class ServedGrants: Sendable {
    private enum Named: Sendable {
        case share(RawShare)
        case mapping(RawMapping)
        case own(SharedMemory)

        var memory: SharedMemory {
            switch self {
            case .share(let share): share.memory
            case .mapping(let mapping): mapping.memory
            case .own(let memory): memory
            }
        }
    }

    private let backend: any GrantBackend
    private let pages = LocalPages()
    private let named = Mutex<(last: UInt64, all: [UInt64: Named])>((0, [:]))

    init(_ backend: any GrantBackend) { self.backend = backend }

    func perform(_ operation: PartyOperation, _ input: inout WireReader) throws -> [UInt8] {
        switch operation {
        case .share, .unshare, .map, .unmap: try performGranting(operation, &input)
        case .copy:
            wire(
                try backend.copy(
                    try input.next([RemoteSegment].self).map { try segment($0) }))
        case .load:
            wire(load(try memory(try input.next(RemoteRange.self))))
        case .store:
            try store(&input)
        case .isWritable:
            wire(try pages.isWritable(try memory(try input.next(RemoteRange.self))))
        case .allocate:
            wire(name(.own(pages.allocate(byteCount: try input.next(Int.self)))))
        case .free:
            try free(try input.next(UInt64.self))
        default: throw WireError("\(operation) is no operation on grants")
        }
    }

    private func performGranting(
        _ operation: PartyOperation, _ input: inout WireReader
    ) throws -> [UInt8] {
        switch operation {
        case .share:
            let (pageCount, domain, access, notification) = try input.next(
                Int.self, DomainID.self, GrantAccess.self, UnmapNotification?.self)
            let share = try backend.share(
                pageCount: pageCount, with: domain, access: access, notification: notification)
            return wire(name(.share(share)), share.references)
        case .map:
            let (pages, access, notification) = try input.next(
                [GrantedPage].self, GrantAccess.self, UnmapNotification?.self)
            let mapping = try backend.map(pages, access: access, notification: notification)
            return wire(name(.mapping(mapping)))
        default:
            let name = try input.next(UInt64.self)
            switch named.withLock({ $0.all[name] }) {
            case .share(let share) where operation == .unshare: try backend.unshare(share)
            case .mapping(let mapping) where operation == .unmap: try backend.unmap(mapping)
            default: throw WireError("\(operation): \(name) is the name of nothing such")
            }
            return []
        }
    }

    private func name(_ thing: Named) -> UInt64 {
        named.withLock { named in
            named.last += 1
            named.all[named.last] = thing
            return named.last
        }
    }

    private func memory(_ range: RemoteRange) throws -> SharedMemory {
        guard let whole = named.withLock({ $0.all[range.memory] })?.memory else {
            throw WireError("\(range.memory) is the name of no memory")
        }
        return whole.slice(offset: range.offset, byteCount: range.byteCount)
    }

    private func load(_ memory: SharedMemory) -> [UInt8] {
        memory.bytes(at: 0, count: memory.byteCount)
    }

    private func store(_ input: inout WireReader) throws -> [UInt8] {
        let (range, bytes) = try input.next(RemoteRange.self, [UInt8].self)
        try memory(range).store(bytes, at: 0)
        return []
    }

    private func free(_ name: UInt64) throws -> [UInt8] {
        guard case .own(let memory) = named.withLock({ $0.all.removeValue(forKey: name) }) else {
            throw WireError("\(name) is the name of no memory of the party's own")
        }
        pages.free(memory)
        return []
    }

    private func segment(_ segment: RemoteSegment) throws -> GrantCopySegment {
        switch segment {
        case .read(let location, let range): .read(location, into: try memory(range))
        case .write(let range, let location): .write(try memory(range), to: location)
        case .relay(let source, let target, let count): .relay(source, to: target, byteCount: count)
        }
    }
}
