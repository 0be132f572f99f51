extension Array {
    /// The first index whose element is as asked, where all that follow are, too. The count, where none is.
    func partitionPoint(where holds: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
