import XenStoreClient

extension TransactionScript {
    /// Carries the statements out. Returns what was read. Throws with the number of the line that failed.
    func run(in store: StoreTransaction) async throws(StoreError) -> [ShownValue] {
        var values: [ShownValue] = []
        for line in lines {
            do throws(StoreError) {
                if let value = try await line.statement.run(in: store) { values.append(value) }
            } catch {
                throw StoreError(
                    error.code, name: error.name,
                    "line \(line.number), and nothing was changed: \(error.message)")
            }
        }
        return values
    }
}

extension TransactionScript.Statement {
    fileprivate func run(in store: StoreTransaction) async throws(StoreError) -> ShownValue? {
        switch self {
        case .read(let path):
            return ShownValue(path: path, value: Octets(try await store.read(path)))
        case .write(let path, let value): try await store.write(path, value.bytes)
        case .makeDirectory(let path): try await store.makeDirectory(path)
        case .remove(let path): try await store.remove(path)
        case .setPermissions(let path, let entries): try await store.setPermissions(path, entries)
        }
        return nil
    }
}
