import XenMock

extension MockProcess {
    /// Plays the process for as long as it lives. What a dead one's calls throw says no more than that.
    ///
    /// - Returns: nil when it is dead.
    func whileAlive<Result>(_ body: () throws -> Result?) throws -> Result? {
        guard isAlive else { return nil }
        do {
            return try body()
        } catch  where !isAlive {
            return nil
        }
    }
}
