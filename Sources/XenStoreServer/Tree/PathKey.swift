import XenCore
import XenStoreWire

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A full path by which the tree and the watches find things: the first bytes of an array that may hold more.
///
/// So a request's payload serves as the key of the path that it begins with, and a path as the key of each node
/// above it, without a copy.
struct PathKey: Sendable {
    private let storage: [UInt8]
    /// How many bytes of `storage` the path is.
    let count: Int

    static let root = PathKey(StorePath.root.bytes)
    static let introduceDomain = PathKey(StorePath.introduceDomain.bytes)
    static let releaseDomain = PathKey(StorePath.releaseDomain.bytes)

    /// A path that is all of `bytes`.
    init(_ bytes: [UInt8]) { self.init(storage: bytes, count: bytes.count) }

    init(storage: [UInt8], count: Int) {
        precondition(count <= storage.count)
        self.storage = storage
        self.count = count
    }

    /// The path's bytes, copied unless they are all that is stored.
    var bytes: [UInt8] { count == storage.count ? storage : Array(storage[..<count]) }

    /// The same path without other bytes behind it: what is kept.
    var compact: PathKey { count == storage.count ? self : PathKey(bytes) }

    var isRoot: Bool { count == 1 && storage[0] == slash }

    var isSpecial: Bool { count > 0 && storage[0] == UInt8(ascii: "@") }

    /// Where the last name begins.
    var nameIndex: Int {
        var index = count
        while index > 0, storage[index - 1] != slash { index -= 1 }
        return index
    }

    /// The last name; empty for the root.
    var name: ArraySlice<UInt8> { storage[nameIndex..<count] }

    /// Appends what follows `nameIndex`, and a NUL, to a list of names.
    func appendName(from nameIndex: Int, to list: inout [UInt8]) {
        list.append(contentsOf: storage[nameIndex..<count])
        list.append(0)
    }

    /// Puts what follows `nameIndex`, and a NUL, into memory. Returns how many bytes that are.
    ///
    /// Safe: copied within the call, and only where there is room, as the rebasing checks.
    @unsafe
    func copyName(
        from nameIndex: Int, to memory: UnsafeMutableBufferPointer<UInt8>, at offset: Int
    ) -> Int {
        let length = count - nameIndex
        let room = unsafe UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(rebasing: memory[offset...offset + length]))
        unsafe storage.withUnsafeBytes { bytes in
            unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[nameIndex..<count]))
        }
        unsafe room[length] = 0
        return length + 1
    }

    /// The node above; nil for the root and for special paths.
    var parent: PathKey? {
        guard !isRoot, !isSpecial else { return nil }
        return PathKey(storage: storage, count: max(nameIndex - 1, 1))
    }

    /// The next path above in which watches look: like `parent`, but a special path has one, too.
    var watchedAbove: PathKey? {
        guard isSpecial else { return parent }
        let index = nameIndex
        return index > 1 ? PathKey(storage: storage, count: index - 1) : nil
    }

    /// The path without its first bytes, for who knows it relative to his home.
    func dropping(_ byteCount: Int) -> ArraySlice<UInt8> { storage[min(byteCount, count)..<count] }

    /// The path of a domain's home, `/local/domain/N`.
    static func home(of domain: DomainID) -> PathKey { PathKey(StorePath.home(of: domain).bytes) }

    /// What a quota on paths counts: a domain's home in front is free, as in the C daemon.
    var countedByteCount: Int {
        let prefix = Self.homes
        guard count > prefix.count, storage[..<prefix.count].elementsEqual(prefix) else {
            return count
        }
        let rest = storage[prefix.count..<count]
        guard let end = rest.firstIndex(of: slash), (1...5).contains(end - prefix.count),
            UInt32(decimal: rest[..<end]) != nil
        else { return count }
        return count - end - 1
    }

    private static let homes = Array("/local/domain/".utf8)
}

private let slash = UInt8(ascii: "/")

extension PathKey: Hashable {
    static func == (left: PathKey, right: PathKey) -> Bool {
        guard left.count == right.count else { return false }
        let count = left.count
        return unsafe left.storage.withUnsafeBytes { leftBytes in
            unsafe right.storage.withUnsafeBytes { rightBytes in
                // Safe: both arrays have at least `count` bytes, as `init` checks, and none is empty.
                guard let left = leftBytes.baseAddress, let right = rightBytes.baseAddress
                else { return count == 0 }
                return unsafe memcmp(left, right, count) == 0
            }
        }
    }

    /// All bytes at once: element by element it costs five times as much.
    func hash(into hasher: inout Hasher) {
        unsafe storage.withUnsafeBytes { bytes in
            // Safe: the array has at least `count` bytes, as `init` checks.
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        }
    }
}

extension PathKey: CustomStringConvertible {
    var description: String { String(decoding: bytes, as: UTF8.self) }
}
