import HashTreeCollections
import XenCore

/// What must hold of a tree at any time.
extension LiveTree {
    /// What does not hold, in words; empty for a sound tree.
    func findings() -> [String] {
        var findings: [String] = []
        var counted = Ledger()
        var listedCount = 0
        for (key, node) in snapshot.nodes {
            counted.record(nil, node)
            if node.key != key { findings.append("\(key) is kept as \(node.key)") }
            if let parent = key.parent { check(node, in: self.node(at: parent), &findings) }
            check(childrenOf: node, &findings)
            listedCount += node.children.count
        }
        let topCount = snapshot.nodes.keys.count { $0.isSpecial || $0.isRoot }
        if listedCount + topCount != snapshot.nodes.count {
            findings.append(
                "\(listedCount) nodes are listed, and there are \(snapshot.nodes.count)")
        }
        for domain in Set(ledger.domains + counted.domains) {
            let (known, found) = (ledger.account(of: domain), counted.account(of: domain))
            if known.nodes != found.nodes || known.memory != found.memory
                || ledger.nodes(of: domain) != counted.nodes(of: domain)
            {
                findings.append(
                    "\(domain) has \(found.nodes) nodes of \(found.memory) bytes, and "
                        + "\(known.nodes) of \(known.memory) are counted")
            }
        }
        return findings
    }

    private func check(_ node: StoreNode, in parent: StoreNode?, _ findings: inout [String]) {
        guard let parent else { return findings.append("\(node.key) has no parent") }
        let entry = ChildList.Entry(serial: node.serial, key: node.key)
        if !parent.children.contains(entry) {
            findings.append("\(node.key) is not in its parent's list")
        }
    }

    private func check(childrenOf node: StoreNode, _ findings: inout [String]) {
        var count = 0
        var byteCount = 0
        var last: UInt64 = 0
        node.children.forEach { entry in
            count += 1
            byteCount += entry.listedByteCount
            if entry.serial <= last { findings.append("\(entry.key) is listed out of order") }
            last = entry.serial
            if self.node(at: entry.key)?.serial != entry.serial {
                findings.append("\(entry.key) is listed, and is no such node")
            }
        }
        if count != node.children.count || byteCount != node.children.byteCount {
            findings.append("\(node.key) counts \(node.children.count) children, and has \(count)")
        }
    }
}

extension StoreCore {
    /// What does not hold of the server's state, in words: nothing, unless the server has a bug.
    package func findings() -> [String] {
        var findings = tree.findings()
        for (_, node) in tree.snapshot.nodes where !incarnations.isAlive(node.access.owner) {
            findings.append("\(node.key) has an owner who has gone")
        }
        let open = connections.all
        let started = open.reduce(0) { $0 + $1.transactions.count }
        if started != transactions.count {
            findings.append("\(started) transactions, and \(transactions.count) are counted")
        }
        let registered = open.reduce(0) { $0 + $1.watches.count }
        if registered != watches.count {
            findings.append("\(registered) watches, and \(watches.count) are counted")
        }
        for domain in domains.keys {
            guard let record = domains[domain] else { continue }
            let own = open.filter { $0.holder.domain == domain }
            if own.reduce(0, { $0 + memory(of: $1) }) != record.ownMemory
                || own.reduce(0, { $0 + $1.watches.count }) != record.watches
                || own.reduce(0, { $0 + $1.transactions.count }) != record.transactions
            {
                findings.append("\(domain) is charged wrongly for its connections")
            }
        }
        return findings
    }
}
