"""The feed: what people see of what is live."""

from tests.sandbox.caller import MP4, Graph, Origin, jpeg


def test_an_empty_feed_says_so(graph: Graph) -> None:
    page = graph.client.get(graph.base)
    assert page.status_code == 200
    assert "Nothing is live here yet" in page.text
    assert "@bluebottle" in page.text
    assert graph.live() == []


def test_the_page_shows_what_is_live_newest_first(graph: Graph, origin: Origin, image_url: str) -> None:
    older = graph.publish(graph.create(image_url=image_url, caption="the older one")).json()["id"]
    reel = graph.create(media_type="REELS", video_url=origin.put("/feed.mp4", MP4), caption="the newer one")
    graph.publish(graph.finished(reel))
    graph.post(f"{older}/comments", message="first comment")
    page = graph.client.get(graph.base).text
    assert page.index("the newer one") < page.index("the older one")
    assert "<video" in page
    assert "<img" in page
    assert "first comment" in page
    newest = graph.live()[0]
    assert f'href="{newest["permalink"]}"' in page


def test_text_is_escaped(graph: Graph, image_url: str) -> None:
    graph.publish(graph.create(image_url=image_url, caption="<script>alert(1)</script> & 'more'", alt_text='a "cup"'))
    page = graph.client.get(graph.base).text
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; 'more'" in page
    assert 'alt="a &quot;cup&quot;"' in page


def test_nothing_comes_from_elsewhere(graph: Graph, image_url: str) -> None:
    graph.publish(graph.create(image_url=image_url))
    page = graph.client.get(graph.base)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.text.replace(graph.base, "").count("http") == 0


def test_the_feed_of_one_account(graph: Graph, instagram_login: Graph, image_url: str) -> None:
    graph.publish(graph.create(image_url=image_url, caption="mine"))
    instagram_login.publish(instagram_login.create(image_url=image_url, caption="the other's"))
    for name, count in ((graph.account, 1), (instagram_login.account, 1), ("bluebottle", 2), ("@bluebottle", 2)):
        listed = graph.client.get(f"{graph.base}/_sandbox/feed", params={"account": name}).json()["items"]
        assert len(listed) == count
        assert graph.client.get(f"{graph.base}/feed/{name}").text.count("<article") == count
    assert graph.client.get(f"{graph.base}/feed/nobody").status_code == 404


def test_json_tells_all_and_media_can_be_fetched(graph: Graph, origin: Origin) -> None:
    urls = [origin.put(f"/json{n}.jpg", jpeg(100, 100 + n)) for n in range(2)]
    children = [graph.create(image_url=url, is_carousel_item="true") for url in urls]
    media = graph.publish(graph.create(media_type="CAROUSEL", children=",".join(children), caption="x")).json()["id"]
    (item,) = graph.live()
    assert (item["id"], item["handle"], item["kind"], item["caption"]) == (media, "bluebottle", "carousel", "x")
    pictures = item["media"]
    assert isinstance(pictures, list)
    fetched = [graph.client.get(picture["url"]).content for picture in pictures]
    assert fetched == [origin.files["/json0.jpg"], origin.files["/json1.jpg"]]


def test_a_permalink_leads_to_its_post(graph: Graph, image_url: str) -> None:
    graph.publish(graph.create(image_url=image_url, caption="one"))
    graph.publish(graph.create(image_url=image_url, caption="two"))
    page = graph.client.get(str(graph.live()[1]["permalink"]))
    assert page.status_code == 200
    assert page.text.count("<article") == 1
    assert ">one<" in page.text
    for code in ("nothing", "....", "x" * 40):
        assert graph.client.get(f"{graph.base}/p/{code}").status_code == 404
