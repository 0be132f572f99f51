extension Sequence {
    /// Does this with every element, whatever becomes of each, and throws the first failure.
    func letGoOfAll<Failure: Error>(
        _ letGo: (Element) throws(Failure) -> Void
    ) throws(Failure) {
        var failure: Failure?
        for element in self {
            do throws(Failure) {
                try letGo(element)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}
