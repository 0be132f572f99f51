import XenCore
import XenStoreWire

extension StorePath {
    /// The path of a child that the tree has, so that its name is known to be good.
    func child(_ name: [UInt8]) -> StorePath {
        StorePath(trusted: (self == .root ? [] : bytes) + [UInt8(ascii: "/")] + name)
    }

    /// The absolute form of what `domain` calls by this path.
    func absolute(for domain: DomainID) -> StorePath {
        guard !isAbsolute, !isSpecial else { return self }
        return StorePath(trusted: StorePath.home(of: domain).bytes + [UInt8(ascii: "/")] + bytes)
    }

    /// What a quota on paths counts: a domain's home in front is free.
    var countedByteCount: Int {
        let names = components
        guard names.count > 3, names[0].elementsEqual("local".utf8),
            names[1].elementsEqual("domain".utf8),
            UInt32(decimal: names[2]) != nil
        else { return bytes.count }
        return bytes.count - names[2].endIndex - 1
    }
}
