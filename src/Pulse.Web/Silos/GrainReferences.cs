using Orleans.Runtime;

namespace Pulse.Web.Silos;

/// <summary>References to the grains of one kind, by user id.</summary>
/// <remarks>
/// Equal to those of <see cref="IGrainFactory"/>, but without its reflection on the interface's attributes for every reference, which took
/// longer than the call of a grain in the same process.
/// </remarks>
internal sealed class GrainReferences<TGrain>(IGrainFactory grains)
    where TGrain : IGrainWithGuidKey
{
    private GrainReference? _like;

    /// <summary>That user's grain.</summary>
    public TGrain this[Guid userId]
    {
        get
        {
            if (_like is { } like) return (TGrain)grains.GetGrain(GrainId.Create(like.GrainId.Type, GrainIdKeyExtensions.CreateGuidKey(userId)), like.InterfaceType);

            var first = grains.GetGrain<TGrain>(userId);
            _like = first as GrainReference;
            return first;
        }
    }
}
