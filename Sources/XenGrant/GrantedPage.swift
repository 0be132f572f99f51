public import XenCore

/// A page that a peer has granted to us: whose, and which of its grants.
public struct GrantedPage: Hashable, Sendable {
    public var reference: GrantReference
    /// Whose page it is.
    public var domain: DomainID

    public init(_ reference: GrantReference, of domain: DomainID) {
        self.reference = reference
        self.domain = domain
    }
}

extension GrantedPage: CustomStringConvertible {
    public var description: String { "\(reference) of \(domain)" }
}

extension [GrantReference] {
    /// The pages that these references name when this domain has told them to us.
    public func granted(by domain: DomainID) -> [GrantedPage] {
        map { GrantedPage($0, of: domain) }
    }

    /// For a sentence: 'grant 8', 'grants 8, 9, 20-31'.
    package var inWords: String { (count == 1 ? "grant " : "grants ") + listed }

    /// '8, 9, 20-31': three or more in a row are a range.
    fileprivate var listed: String {
        var parts: [String] = []
        var start = 0
        while start < count {
            var end = start
            while end + 1 < count, self[end].isFollowed(by: self[end + 1]) { end += 1 }
            if end - start < 2 { end = start }
            let first = "\(self[start].rawValue)"
            parts.append(end == start ? first : "\(first)-\(self[end].rawValue)")
            start = end + 1
        }
        return parts.joined(separator: ", ")
    }
}

extension [GrantedPage] {
    /// For a sentence: 'grants 8, 9 of domain 3, 4 of domain 5'.
    package var inWords: String {
        var parts: [String] = []
        var rest = self[...]
        while let domain = rest.first?.domain {
            let same = rest.prefix { $0.domain == domain }
            parts.append("\(same.map(\.reference).listed) of \(domain)")
            rest = rest.dropFirst(same.count)
        }
        return (count == 1 ? "grant " : "grants ") + parts.joined(separator: ", ")
    }
}

extension GrantReference {
    fileprivate func isFollowed(by next: GrantReference) -> Bool {
        self < next && next.rawValue - rawValue == 1
    }
}
