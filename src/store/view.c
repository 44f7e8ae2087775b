#include "store/store_internal.h"

#include "base/bug.h"

#include <stdlib.h>

void views_init(Store *store)
{
    Views *views = &store->views;
    pthread_mutex_init(&views->mutex, NULL);
    /* Readers come all the time and overlap: the one writer would wait for ever for a moment without. */
    pthread_rwlockattr_t writer_first;
    pthread_rwlockattr_init(&writer_first);
    pthread_rwlockattr_setkind_np(&writer_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&views->gate, &writer_first);
    pthread_rwlockattr_destroy(&writer_first);
    list_init(&views->all);
    views_publish(store, store->engine->operations->snapshot_open(store->engine));
}

static void view_close(Store *store, View *view)
{
    if (view->snapshot != NULL)
        store->engine->operations->snapshot_close(store->engine, view->snapshot);
    list_remove(&view->link);
    free(view);
}

void views_free(Store *store)
{
    Views *views = &store->views;
    LIST_FOR_EACH(&views->all, link)
    view_close(store, CONTAINER_OF(link, View, link));
    pthread_mutex_destroy(&views->mutex);
    pthread_rwlock_destroy(&views->gate);
}

void views_publish(Store *store, EngineSnapshot *snapshot)
{
    View *view = calloc(1, sizeof *view);
    ASSERT(view != NULL);
    view->snapshot = snapshot;
    Views *views = &store->views;
    pthread_mutex_lock(&views->mutex);
    View *before = views->current;
    views->current = view;
    list_push_back(&views->all, &view->link);
    bool unused = before != NULL && before->holders == 0;
    if (unused)
        view_close(store, before);
    pthread_mutex_unlock(&views->mutex);
}

View *view_acquire(Store *store)
{
    Views *views = &store->views;
    pthread_mutex_lock(&views->mutex);
    View *view = views->current;
    view->holders++;
    pthread_mutex_unlock(&views->mutex);
    return view;
}

void view_release(Store *store, View *view)
{
    Views *views = &store->views;
    pthread_mutex_lock(&views->mutex);
    view->holders--;
    if (view->holders == 0 && view != views->current)
        view_close(store, view);
    pthread_mutex_unlock(&views->mutex);
}

void views_lose(Store *store)
{
    Views *views = &store->views;
    pthread_mutex_lock(&views->mutex);
    LIST_FOR_EACH(&views->all, link)
    {
        View *view = CONTAINER_OF(link, View, link);
        if (view->snapshot != NULL)
            store->engine->operations->snapshot_close(store->engine, view->snapshot);
        view->snapshot = NULL;
    }
    pthread_mutex_unlock(&views->mutex);
}
