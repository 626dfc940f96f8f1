namespace DeepSeekR1.Rollouts.Cpu;

/// <summary>A part of a product that one worker computes.</summary>
/// <param name="FirstRow">First row.</param>
/// <param name="EndRow">Row after the last.</param>
/// <param name="FirstPanel">First panel, even.</param>
/// <param name="EndPanel">Panel after the last.</param>
internal readonly record struct ProductShare(int FirstRow, int EndRow, int FirstPanel, int EndPanel)
{
    /// <summary>
    /// The member's parts of rows × panels: chunks of rows, each cut into pairs of panels, dealt out in consecutive runs. With few
    /// rows there is one chunk, and each worker reads its own part of the weights only.
    /// </summary>
    public static List<ProductShare> Of(Team team, int rows, int panels, int chunkRows)
    {
        int pairs = (panels + 1) / 2, chunks = (rows + chunkRows - 1) / chunkRows;
        var (item, end) = team.Share(chunks * pairs);
        var shares = new List<ProductShare>();
        while (item < end)
        {
            int chunk = item / pairs, firstPair = item % pairs, endPair = Math.Min(pairs, firstPair + end - item);
            shares.Add(new(chunk * chunkRows, Math.Min(rows, (chunk + 1) * chunkRows), 2 * firstPair, Math.Min(panels, 2 * endPair)));
            item += endPair - firstPair;
        }
        return shares;
    }

    public Rows Slice(Rows rows) => new(rows.Data + FirstRow * rows.Stride * sizeof(float), rows.Stride, EndRow - FirstRow);
}
